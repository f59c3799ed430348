/** Attribute values through the whole road: door walk, slow lane where it is due, engine. The text is the Collector's AsString(). */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flattenTraces } from '../../collectors/otlp/flatten.ts';
import { walkTraces } from '../../collectors/otlp/walk.ts';
import { BODY_MAX_BYTES } from '../../ingest/doors/body.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import { readValueCases } from '../collectors/otlp/any-value-table.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { ProtoWriter } from '../support/otlp-encode.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());

const NOW_NS = BigInt(Date.now()) * 1_000_000n;
const BOUNDS = { loNs: NOW_NS - 1n, hiNs: NOW_NS + 1n };

/** A span that carries the value on itself, on its resource, an event and a link. */
function bodyWith(value: Uint8Array, index: number): Buffer {
  const writer = new ProtoWriter();
  const attribute = (number: number): void => void writer.message(number, () => writer.text(1, 'v').text(2, value));
  writer.message(1, () => {
    writer.message(1, () => attribute(1));
    writer.message(2, () => {
      writer.message(2, () => {
        writer
          .text(1, randomBytes(16))
          .text(2, Buffer.from((index + 1).toString(16).padStart(16, '0'), 'hex'))
          .fixed64(7, NOW_NS)
          .fixed64(8, NOW_NS);
        attribute(9);
        writer.message(11, () => {
          writer.fixed64(1, NOW_NS);
          attribute(3);
        });
        writer.message(13, () => attribute(4));
      });
    });
  });
  return writer.finish();
}

test('every value of the table arrives as the text that the Collector gives', async () => {
  const cases = readValueCases();
  const bodies = cases.map(({ value }, index) => {
    const body = bodyWith(value, index);
    const walk = walkTraces(body, BOUNDS);
    if (!walk.ok) throw new Error(`${cases[index]?.name}: ${walk.rule}`);
    return walk.needsRewrite ? flattenTraces(body, BODY_MAX_BYTES) : body;
  });
  const path = join(engine.dir, 'values.seg');
  writeFileSync(path, Buffer.concat(bodies));
  await engine.store.load({
    token: randomBytes(8).toString('hex'),
    signal: 'otlp_traces',
    team: '',
    path,
    ...BOUNDS,
    settings: { ...PINNED_BLOCK_SETTINGS },
  });
  const { rows } = await engine.store.query({
    sql: "SELECT hex(SpanAttributes['v']), hex(ResourceAttributes['v']), hex(Events.Attributes[1]['v']), hex(Links.Attributes[1]['v']), mapContains(SpanAttributes, 'v') FROM otel.otel_traces ORDER BY SpanId",
  });
  const expected = cases.map(({ name, text }) => {
    const hex = text.toString('hex').toUpperCase();
    return [name, hex, hex, hex, hex, 1];
  });
  expect(rows.map((row, index) => [cases[index]?.name, ...row])).toEqual(expected);
  expect(cases.length).toBeGreaterThan(30);
});
