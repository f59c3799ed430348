import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeVars, type RuntimeFigures } from '../../../collectors/expvar/decode.ts';
import { assetPath } from '../../../core/paths.ts';

/** What a small Go program answered. */
const GO_PROCESS = readFileSync(assetPath('test/collectors/expvar/cases/go-process.json'));

function figures(text: string | Buffer, cyclesBefore: number | null = null): RuntimeFigures {
  const result = decodeVars(Buffer.from(text), cyclesBefore);
  if (!result.ok) throw new Error(result.rule);
  return result.figures;
}

/** An answer with a ring in which cycle n paused for n ns. */
function withCycles(cycles: number): string {
  const PauseNs = Array.from({ length: 256 }, () => 0);
  for (let n = 1; n <= cycles; n++) PauseNs[(n + 255) % 256] = n;
  return JSON.stringify({ memstats: { NumGC: cycles, PauseNs } });
}

const pauses = (cycles: number, before: number | null): readonly number[] =>
  figures(withCycles(cycles), before).pauses_ns;

describe('memstats', () => {
  test('of a real process, each under its own name, LastGC to the nanosecond', () => {
    expect(figures(GO_PROCESS, 53)).toEqual({
      heap_alloc_bytes: 1095992,
      heap_sys_bytes: 8028160,
      heap_idle_bytes: 6275072,
      heap_inuse_bytes: 1753088,
      heap_released_bytes: 3047424,
      heap_objects: 3733,
      stack_inuse_bytes: 360448,
      sys_bytes: 13211912,
      next_gc_bytes: 4194304,
      total_alloc_bytes: 194508448,
      mallocs: 1074403,
      frees: 1070670,
      gc_cycles: 56,
      gc_forced_cycles: 0,
      gc_pause_total_ns: 14169355,
      gc_cpu_fraction: 0.0032996967567331366,
      last_gc_ns: '1795580569398497967',
      pauses_ns: [199817, 201338, 349099],
      vars: { 'orders.paid': 1.5, 'requests.total': 1696 },
    });
  });

  test('that are absent, or no numbers, are not 0', () => {
    const empty = figures('{}');
    const { pauses_ns, vars, ...rest } = empty;
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
    expect({ pauses_ns, vars }).toEqual({ pauses_ns: [], vars: {} });
    expect(figures('{"memstats":{"HeapAlloc":"1","NumGC":-1,"Sys":1.5,"Mallocs":null,"Frees":[1]}}')).toEqual(empty);
    expect(figures('{"memstats":"none"}')).toEqual(empty);
    expect(figures('{"memstats":{"LastGC":0}}').last_gc_ns).toBeNull();
  });

  test('what a double cannot hold is rounded, what 64 bits cannot hold is not known', () => {
    const { total_alloc_bytes, mallocs, frees } = figures(
      '{"memstats":{"TotalAlloc":9007199254740993,"Mallocs":18446744073709551615,"Frees":1e30}}',
    );
    expect(total_alloc_bytes).toBe(9007199254740992);
    expect([mallocs, frees]).toEqual([null, null]);
  });
});

describe('pauses', () => {
  test('are those of the cycles since the scrape before, newest last', () => {
    expect(pauses(5, 2)).toEqual([3, 4, 5]);
    expect(pauses(5, 5)).toEqual([]);
    expect(pauses(258, 255)).toEqual([256, 257, 258]);
    expect(pauses(1000, 1)).toEqual(Array.from({ length: 256 }, (_, i) => 745 + i));
  });

  test('are not known to be new at the first scrape; after a restart all are', () => {
    expect(pauses(5, null)).toEqual([]);
    expect(pauses(3, 90)).toEqual([1, 2, 3]);
    expect(pauses(0, 90)).toEqual([]);
  });

  test('of a ring of another length mean nothing', () => {
    expect(figures('{"memstats":{"NumGC":2,"PauseNs":[1,2,3]}}', 0).pauses_ns).toEqual([]);
  });
});

describe('own variables', () => {
  test('are its numbers, nested names joined; texts, lists and cmdline are left out', () => {
    const { vars } = figures(
      '{"cmdline":["shop","--password=secret"],"a":1,"b":{"c":{"d":-2.5}},"dsn":"postgres://u:p@h/db","l":[1,2],"n":null,"t":true,"big":12345678901234567890,"huge":1e999,"f":0.12345678901234567}',
    );
    expect(vars).toEqual({ a: 1, 'b.c.d': -2.5, big: 12345678901234567000, f: 0.12345678901234566 });
  });

  test('that look like a large number within a text stay text', () => {
    expect(figures('{"a":"1234567890123456789","b":"say \\"1234567890123456789\\" 1234567890123456789"}').vars).toEqual(
      {},
    );
  });

  test('are kept up to a number and a length of names, and what is left out is counted', () => {
    const many = Object.fromEntries(Array.from({ length: 620 }, (_, i) => [`n${i}`, i]));
    expect(decodeVars(Buffer.from(JSON.stringify(many)), null)).toMatchObject({ ok: true, leftOut: 120 });
    expect(Object.keys(figures(JSON.stringify(many)).vars)).toHaveLength(500);
    const long = { ['x'.repeat(60_000)]: 1, ['y'.repeat(60_000)]: 2, z: 3 };
    expect(Object.values(figures(JSON.stringify(long)).vars)).toEqual([1, 3]);
  });

  test('may be called anything', () => {
    const { vars } = figures('{"__proto__":1,"constructor":2,"":3,"a":{"":4,"__proto__":{"b":5}}}');
    expect(JSON.parse(JSON.stringify(vars))).toEqual(
      JSON.parse('{"__proto__":1,"constructor":2,"":3,"a.":4,"a.__proto__.b":5}'),
    );
  });

  test('nested beyond measure are left where they are', () => {
    const nested = `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`;
    expect(figures(`{"x":1,"deep":${nested}}`).vars).toEqual({ x: 1 });
  });
});

describe('what is no answer', () => {
  test.each([
    ['', 'there are no bytes', true],
    ['<html><body>Sign in</body></html>', 'it begins with "<", as HTML does', false],
    ['{"memstats":{"Alloc":12', 'its JSON ends early', true],
    ['{"a":1}}', 'it is not JSON', false],
    ['[1]', 'it is JSON, but no object', false],
    ['12345678901234567890', 'it is JSON, but no object', false],
  ])('%s', (text, rule, cutShort) => {
    expect(decodeVars(Buffer.from(text), null)).toEqual({ ok: false, rule, cutShort });
  });

  test('a huge one, and one that is nested as deep as it is long', () => {
    expect(decodeVars(Buffer.alloc(16 * 1024 * 1024 + 1, 32), null)).toMatchObject({ ok: false });
    const deep = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(decodeVars(Buffer.from(deep), null)).toMatchObject({ ok: false });
  });

  test('nothing makes it throw, and what it gives fits the columns', () => {
    const fits = (bytes: Uint8Array): void => {
      const result = decodeVars(bytes, 3);
      if (!result.ok) return;
      const { vars, pauses_ns, gc_cpu_fraction, last_gc_ns, ...counters } = result.figures;
      for (const value of [...Object.values(vars), gc_cpu_fraction ?? 0]) expect(Number.isFinite(value)).toBe(true);
      for (const value of [...Object.values(counters), ...pauses_ns]) {
        if (value !== null) expect(JSON.stringify(value)).toMatch(/^\d{1,20}$/);
      }
      if (last_gc_ns !== null) expect(last_gc_ns).toMatch(/^\d{1,19}$/);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), fits));
    fc.assert(
      fc.property(fc.nat(), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(GO_PROCESS);
        changed[at % changed.length] = byte;
        fits(changed);
      }),
      { numRuns: 500 },
    );
    const number = fc.oneof(fc.double(), fc.integer(), fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }));
    const names = ['HeapAlloc', 'NumGC', 'LastGC', 'GCCPUFraction', 'TotalAlloc'];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), number)), (stats) => {
        const text = stats.map(([name, value]) => `"${name}":${String(value)}`).join(',');
        fits(Buffer.from(`{"memstats":{${text}},"own":{${text}}}`));
      }),
    );
  });
});
