/** OTLP JSON bodies, valid and not: the shapes senders write, numbers and escapes at their edges, text that is no JSON. */
import type { RequestInput } from '../../support/otlp-encode.ts';
import type { Draw } from '../../support/seeded.ts';
import { mutateBytes } from './mutate.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The request as OTLP JSON text; 64-bit integers as text or bare, by draw. */
export function jsonOf(request: RequestInput, draw: Draw): string {
  const bare = draw.chance(0.3);
  return JSON.stringify(request, (_key, value: unknown) => {
    if (typeof value !== 'bigint') return value;
    return bare && value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : String(value);
  });
}

interface Place {
  value: Json;
  set(value: Json): void;
  parent: Json[] | { [key: string]: Json };
  key: string | number;
}

function places(value: Json, found: Place[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [key, item] of value.entries()) {
      found.push({ value: item, set: (next) => (value[key] = next), parent: value, key });
      places(item, found);
    }
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    found.push({ value: item, set: (next) => (value[key] = next), parent: value, key });
    places(item, found);
  }
}

const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  '',
  '0',
  '-1',
  '1e3',
  '0x10',
  ' 1',
  '18446744073709551615',
  '18446744073709551616',
  '-9223372036854775809',
  'NaN',
  'Infinity',
  'AAAA',
  '=',
  '\ud800',
  '\u0000',
  '00',
  [],
  {},
  [[]],
  [null],
]; // prettier-ignore
const ODD_KEYS = ['spans', 'span_id', 'SpanId', '', '__proto__', 'constructor', 'traceId', 'intValue', 'values'];

/** Text that says more than `JSON.stringify` can: put where a marker stands. */
const ODD_TEXTS = [
  '1e400',
  '-0',
  '01',
  '1.',
  '.5',
  '+1',
  '0e0',
  '9007199254740993',
  '123456789012345678901234567890',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u12"',
  '"\\x"',
  '"\t"',
  "'a'",
  'NaN',
  'undefined',
  '// c\n1',
  '{"a":1,"a":2}',
  '[1,]',
  '{"a":1,}',
  'tru',
  '"',
  '\u0000',
  '-',
  '--1',
  '1 2',
]; // prettier-ignore
const MARKER = '@@here@@';

export function mutateJson(text: string, other: () => string, draw: Draw): Buffer {
  const root = JSON.parse(text) as Json;
  let odd: string | undefined;
  for (let times = draw.between(1, 3); times > 0; times--) {
    const found: Place[] = [];
    places(root, found);
    if (found.length === 0) break;
    const place = draw.pick(found);
    switch (draw.below(8)) {
      case 0:
        place.set(draw.pick(ODD));
        break;
      case 1:
        odd = draw.pick(ODD_TEXTS);
        place.set(MARKER);
        break;
      case 2:
        if (!Array.isArray(place.parent)) delete place.parent[String(place.key)];
        break;
      case 3:
        if (!Array.isArray(place.parent)) place.parent[draw.pick(ODD_KEYS)] = structuredClone(place.value);
        break;
      case 4:
        place.set(structuredClone(draw.pick(found).value));
        break;
      case 5:
        odd = deepText(draw);
        place.set(MARKER);
        break;
      case 6:
        if (Array.isArray(place.parent) && JSON.stringify(place.value).length < 2000)
          place.parent.push(...Array.from({ length: draw.pick([1, 5, 30]) }, () => structuredClone(place.value)));
        break;
      default:
        place.set(typeof place.value === 'number' ? String(place.value) : [place.value]);
    }
  }
  let mutated = JSON.stringify(root);
  if (odd !== undefined) mutated = mutated.replace(JSON.stringify(MARKER), odd);
  const bytes = Buffer.from(draw.chance(0.05) ? `\ufeff${mutated}` : mutated);
  return draw.chance(0.25) ? mutateBytes(bytes, () => Buffer.from(other()), draw) : bytes;
}

function deepText(draw: Draw): string {
  const depth = draw.pick([3, 60, 64, 65, 1000, 5000]);
  const [open, close] = draw.pick([
    ['[', ']'],
    ['{"arrayValue":{"values":[', ']}}'],
    ['{"kvlistValue":{"values":[{"key":"k","value":', '}]}}'],
  ] as const);
  return `${open.repeat(depth)}${close.repeat(draw.chance(0.9) ? depth : 0)}`;
}
