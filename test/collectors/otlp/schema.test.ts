import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KEY_VALUE, type MessageType, REQUEST } from '../../../collectors/otlp/schema.ts';
import { WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from '../../../collectors/otlp/wire.ts';
import { assetPath } from '../../../core/paths.ts';

const WIRE_TYPES: Record<string, number> = {
  int64: WIRE_VARINT,
  fixed64: WIRE_FIXED64,
  string: WIRE_LENGTH,
  bytes: WIRE_LENGTH,
};

/** `message.field` -> `number wire repeated` of the committed .proto. */
function readProto(): Map<string, string> {
  const fields = new Map<string, string>();
  const path: string[] = [];
  for (const line of readFileSync(assetPath('store/loads/otlp_traces.proto'), 'utf8').split('\n')) {
    const message = /^\s*message (\w+) \{/.exec(line)?.[1];
    const field = /^\s*(repeated )?(\w+) (\w+) = (\d+);/.exec(line);
    if (message !== undefined) path.push(message);
    else if (/^\s*\}/.test(line)) path.pop();
    else if (field !== null) {
      const [, repeated, type = '', name = '', number = ''] = field;
      const wire = WIRE_TYPES[type] ?? WIRE_LENGTH;
      fields.set(`${path.join('.')}.${name}`, `${number} ${wire} ${repeated !== undefined}`);
    }
  }
  return fields;
}

function collect(message: MessageType, fields: Map<string, string>): Map<string, string> {
  for (const [number, field] of message.fields.entries()) {
    if (field === undefined) continue;
    fields.set(`${message.name}.${field.name}`, `${number} ${field.wire} ${field.repeated}`);
    if (field.message !== undefined) collect(field.message, fields);
  }
  return fields;
}

test('what is walked is what the engine is told to read', () => {
  const walked = collect(REQUEST, new Map());
  expect(Object.fromEntries(walked)).toEqual(Object.fromEntries(readProto()));
  expect(walked.size).toBe(31);
  expect(KEY_VALUE.fields[2]?.name).toBe('value');
});
