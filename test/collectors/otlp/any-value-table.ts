/** The table of attribute values: serialized AnyValues, and the text that the Collector's `Value.AsString()` gives each. */
import { readFileSync } from 'node:fs';
import { assetPath } from '../../../core/paths.ts';
import { ProtoWriter } from '../../support/otlp-encode.ts';

export interface ValueCase {
  name: string;
  /** The AnyValue, without tag and length. */
  value: Buffer;
  /** The text's bytes: not every string that is sent is UTF-8. */
  text: Buffer;
}

interface Line {
  name: string;
  hex: string;
  text?: string;
  textHex?: string;
}

export function readValueCases(): ValueCase[] {
  const lines = JSON.parse(readFileSync(assetPath('test/collectors/otlp/any-value-cases.json'), 'utf8')) as Line[];
  return lines.map(({ name, hex, text, textHex }) => ({
    name,
    value: Buffer.from(hex, 'hex'),
    text: text === undefined ? Buffer.from(textHex ?? '', 'hex') : Buffer.from(text),
  }));
}

/** A request of one span with one attribute, `k`. */
export function bodyWithAttribute(value: Uint8Array): Buffer {
  const writer = new ProtoWriter();
  const attribute = (): unknown => writer.message(9, () => writer.text(1, 'k').text(2, value));
  const ids = (): unknown => writer.text(1, '01'.repeat(16), 'hex').text(2, '02'.repeat(8), 'hex');
  writer.message(1, () =>
    writer.message(2, () =>
      writer.message(2, () => {
        ids();
        attribute();
      }),
    ),
  );
  return writer.finish();
}
