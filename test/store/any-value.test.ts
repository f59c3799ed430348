/** Attribute values through the whole road: door walk, slow lane where it is due, engine. The text is the Collector's AsString(). */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flattenTraces } from '../../collectors/otlp/flatten.ts';
import { walkTraces } from '../../collectors/otlp/walk.ts';
import { BODY_MAX_BYTES } from '../../ingest/doors/body.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import { readValueCases, type ValueCase } from '../collectors/otlp/any-value-table.ts';
import { startMigratedEngine, type TestEngine } from '../support/engine.ts';
import { encodeAnyValue, ProtoWriter } from '../support/otlp-encode.ts';

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

/** Loads one span per value, through the slow lane where the walk says so, and gives the four texts of each back as hex. */
async function throughTheRoad(cases: readonly ValueCase[]): Promise<unknown[][]> {
  await engine.store.command({ sql: 'TRUNCATE TABLE otel.otel_traces' });
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
  return rows.map((row, index) => [cases[index]?.name, ...row]);
}

function expected({ name, text }: ValueCase): unknown[] {
  const hex = text.toString('hex').toUpperCase();
  return [name, hex, hex, hex, hex, 1];
}

test('every value of the table arrives as the text that the Collector gives', async () => {
  const cases = readValueCases();
  expect(await throughTheRoad(cases)).toEqual(cases.map(expected));
  expect(cases.length).toBeGreaterThan(30);
});

test('texts arrive whole on both sides of every size of a length', async () => {
  const sizes = [0, 1, 126, 127, 128, 129, 130, 131, 16_382, 16_383, 16_384, 16_385, 16_386, 2_097_151, 2_097_152];
  const cases = sizes.map((size): ValueCase => {
    // Begins and ends with what could be taken for a length or a tag.
    const text = Buffer.alloc(size, '\x0a');
    return { name: `${size} bytes`, value: new ProtoWriter().text(1, text).finish(), text };
  });
  for (const one of cases) expect(await throughTheRoad([one])).toEqual([expected(one)]);
});

test('ints of every size arrive, in the shortest encoding and in a longer one', async () => {
  const ints = new Set<bigint>();
  for (let bit = 0n; bit < 64n; bit++) {
    for (const near of [-1n, 0n, 1n]) ints.add(BigInt.asIntN(64, (1n << bit) + near)).add(-(1n << bit) + near);
  }
  ints.add(0x0123_4567_89ab_cdefn);
  const cases = [...ints]
    .map((int) => BigInt.asIntN(64, int))
    .flatMap((int): ValueCase[] => {
      const value = encodeAnyValue({ intValue: int });
      const longer = Buffer.from([...value.subarray(0, -1), (value.at(-1) ?? 0) | 0x80, 0]);
      const text = Buffer.from(int.toString());
      const shortest = { name: `${int}`, value, text };
      return value.length > 9 ? [shortest] : [shortest, { name: `${int}, longer`, value: longer, text }];
    });
  expect(await throughTheRoad(cases)).toEqual(cases.map(expected));
});
