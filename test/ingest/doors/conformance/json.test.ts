/**
 * The specification's sentences about the JSON mapping, and those of protobuf's own mapping that it builds on, asked of the door
 * over HTTP. What is stored is read back from the journal.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DecodedSpan, decodeFlat } from '../../../support/otlp-decode.ts';
import { openOtlpDoors, type OtlpDoors, send } from '../../../support/otlp-doors.ts';
import { nowNs } from './support.ts';

let doors: OtlpDoors;
beforeEach(async () => {
  doors = await openOtlpDoors();
});
afterEach(() => doors.close());

const TRACE_ID = '5b8efff798038103d269b633813fc60c';
const SPAN_ID = 'eee19b7ec3c1b174';

/** The JSON of a span as text; `fields` may repeat a key, the later one stands. */
function spanText(fields: Record<string, string> = {}): string {
  const start = nowNs();
  const all: Record<string, string> = {
    traceId: `"${TRACE_ID}"`,
    spanId: `"${SPAN_ID}"`,
    name: '"n"',
    startTimeUnixNano: `"${start}"`,
    endTimeUnixNano: `"${start + 1000n}"`,
    ...fields,
  };
  return `{${Object.entries(all)
    .map(([key, value]) => `"${key}":${value}`)
    .join(',')}}`;
}

const around = (span: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[${span}]}]}]}`;

async function post(text: string | Buffer): Promise<{ status: number; json: Record<string, unknown> }> {
  const answer = await send(`${doors.httpUrl}/v1/traces`, {
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(text),
  });
  return { status: answer.status, json: JSON.parse(answer.bytes.toString()) as Record<string, unknown> };
}

/** Sends a span and gives back what the journal holds of it. */
async function stored(fields: Record<string, string>): Promise<DecodedSpan> {
  const answer = await post(around(spanText(fields)));
  expect(answer).toEqual({ status: 200, json: {} });
  const [span] = decodeFlat((await doors.journaled())[0] as Buffer);
  return span as DecodedSpan;
}

async function attribute(value: string): Promise<string> {
  const span = await stored({ attributes: `[{"key":"k","value":${value}}]` });
  return Buffer.from(span.attributes[0]?.[1] ?? 'absent', 'latin1').toString('utf8');
}

async function refused(text: string | Buffer): Promise<string> {
  const { status, json } = await post(text);
  expect(status).toBe(400);
  expect(json['code']).toBe(3);
  expect(await doors.journaled()).toEqual([]);
  return String(json['message']);
}

const PATH = 'resourceSpans[0].scopeSpans[0].spans[0]';

describe('ids', () => {
  test('traceId and spanId are case-insensitive hex', async () => {
    const span = await stored({
      traceId: `"${TRACE_ID.toUpperCase()}"`,
      spanId: '"EEE19b7ec3c1B174"',
      parentSpanId: '"EEE19B7EC3C1B173"',
      links: `[{"traceId":"${TRACE_ID.toUpperCase()}","spanId":"EEE19B7EC3C1B175"}]`,
    });
    expect(span).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, parentSpanId: 'eee19b7ec3c1b173' });
    expect(span.links).toMatchObject([{ traceId: TRACE_ID, spanId: 'eee19b7ec3c1b175' }]);
  });

  test('they are not base64', async () => {
    const message = await refused(around(spanText({ traceId: `"${randomBytes(16).toString('base64')}"` })));
    expect(message).toContain(`${PATH}.traceId: an id must be hex digits, not base64`);
  });

  test('hex of another length decodes, and the span is rejected for it, its neighbour stored', async () => {
    const { status, json } = await post(around(`${spanText({ traceId: '"abcd"' })},${spanText()}`));
    expect(status).toBe(200);
    expect(json['partialSuccess']).toMatchObject({ rejectedSpans: '1' });
    expect(decodeFlat((await doors.journaled())[0] as Buffer)).toHaveLength(2); // the view drops the first
  });
});

describe('enums', () => {
  test('are integers', async () => {
    expect(await stored({ kind: '3', status: '{"code":2}' })).toMatchObject({ kind: '3', statusCode: '2' });
  });

  test.each(['"SPAN_KIND_SERVER"', '"2"', '"Server"'])('are not names: %s is refused', async (kind) => {
    expect(await refused(around(spanText({ kind })))).toContain(`${PATH}.kind: an enum must be an integer`);
  });

  test('a number without a name is kept for what it is', async () => {
    expect(await stored({ kind: '99' })).toMatchObject({ kind: '99' });
  });
});

describe('fields', () => {
  test('with unknown names are ignored, whatever they hold and wherever they stand', async () => {
    const odd = '{"a":[1,{"b":null}],"c":"\\u00e9","d":-1.5e-7,"e":[],"f":{}}';
    const text = `{"new":${odd},"resourceSpans":[{"new":${odd},"scopeSpans":[{"new":${odd},"spans":[${spanText({ new: odd })}]}]}]}`;
    expect(await post(text)).toEqual({ status: 200, json: {} });
    expect(decodeFlat((await doors.journaled())[0] as Buffer)).toMatchObject([{ name: 'n' }]);
  });

  test('in snake_case are unknown names', async () => {
    const span = await stored({ trace_state: '"a=1"', dropped_attributes_count: '3' });
    expect(span.traceState).toBe('');
  });

  test('in another case are unknown names', async () => {
    expect((await stored({ TraceState: '"a=1"' })).traceState).toBe('');
  });

  test('that are null are absent', async () => {
    const span = await stored({ kind: 'null', attributes: 'null', status: 'null', parentSpanId: 'null', name: 'null' });
    expect(span).toMatchObject({ kind: '0', attributes: [], statusCode: '0', parentSpanId: '', name: '' });
  });

  test('without a column are skipped: flags, dropped counts, schemaUrl', async () => {
    expect(await stored({ flags: '257', droppedAttributesCount: '1', droppedEventsCount: '2' })).toMatchObject({
      name: 'n',
    });
  });

  test('that come twice are what protobuf makes of them: of scalars the last', async () => {
    const text = around(spanText().replace('"name":"n"', '"name":"first","name":"last"'));
    expect((await post(text)).status).toBe(200);
    expect(decodeFlat((await doors.journaled())[0] as Buffer)).toMatchObject([{ name: 'last' }]);
  });

  test('may be escaped in their names', async () => {
    expect((await stored({ 'tr\\u0061ceState': '"a=1"' })).traceState).toBe('a=1');
  });

  test('of another type are refused by path and rule', async () => {
    const wrong: [Record<string, string>, string][] = [
      [{ name: '3' }, 'name: a string must stand'],
      [{ attributes: '{}' }, 'attributes: an array must stand'],
      [{ attributes: '[null]' }, 'attributes[0]: an object must stand'],
      [{ attributes: '[{"key":"a"},{"key":"b","value":[]}]' }, 'attributes[1].value: an object must stand'],
      [{ status: '[]' }, 'status: an object must stand'],
      [{ startTimeUnixNano: '{}' }, 'startTimeUnixNano: a value must stand'],
      [{ attributes: '[{"value":{"boolValue":1}}]' }, 'attributes[0].value.boolValue: true or false must stand'],
      [{ attributes: '[{"value":{"boolValue":"true"}}]' }, 'boolValue: true or false must stand'],
    ];
    for (const [fields, rule] of wrong) expect(await refused(around(spanText(fields)))).toContain(rule);
  });
});

describe('64-bit integers', () => {
  test('are accepted as decimal strings and as numbers, without losing a digit above 2^53', async () => {
    const start = nowNs() - 1n;
    for (const text of [`"${start}"`, String(start)]) {
      const span = await stored({ startTimeUnixNano: text, endTimeUnixNano: '18446744073709551615' });
      expect(span).toMatchObject({ start: String(start), end: '18446744073709551615' });
      await doors.close();
      doors = await openOtlpDoors();
    }
  });

  test.each(['9223372036854775807', '-9223372036854775808', '9007199254740993', '-1', '0', '1e3', '"12e2"', '5.0'])(
    'intValue %s',
    async (text) => {
      const exact = { '1e3': '1000', '"12e2"': '1200', '5.0': '5' }[text] ?? text;
      expect(await attribute(`{"intValue":${text}}`)).toBe(exact);
    },
  );

  test.each(['9223372036854775808', '-9223372036854775809', '1e19', '1.5', '"abc"', '""', '" 1"', '01', '1e-1'])(
    'intValue %s is refused',
    async (text) => {
      const message = await refused(around(spanText({ attributes: `[{"key":"k","value":{"intValue":${text}}}]` })));
      expect(message).toContain('intValue: ');
    },
  );

  test('an unsigned one is not negative and not above 2^64 - 1', async () => {
    for (const text of ['-1', '"-5"', '18446744073709551616', '1e20'])
      expect(await refused(around(spanText({ endTimeUnixNano: text })))).toContain(`${PATH}.endTimeUnixNano: `);
  });
});

describe('values', () => {
  test.each([
    ['1.5', '1.5'],
    ['3', '3'],
    ['-0.0', '-0'],
    ['1e300', '1e+300'],
    ['"NaN"', 'NaN'],
    ['"Infinity"', 'Infinity'],
    ['"-Infinity"', '-Infinity'],
    ['"2.25"', '2.25'],
  ])('doubleValue %s is stored as %s', async (text, expected) => {
    expect(await attribute(`{"doubleValue":${text}}`)).toBe(expected);
  });

  test.each(['1e999', 'NaN', 'Infinity', '"nan"', '"1,5"', '.5', '5.', '+1'])(
    'doubleValue %s is refused',
    async (text) => {
      await refused(around(spanText({ attributes: `[{"key":"k","value":{"doubleValue":${text}}}]` })));
    },
  );

  test.each(['"/+8="', '"/+8"', '"_-8="', '"_-8"', '"\\/+8="'])(
    'bytesValue %s: standard or URL-safe, padded or not',
    async (text) => {
      expect(await attribute(`{"bytesValue":${text}}`)).toBe('/+8=');
    },
  );

  test('bytesValue that is no base64 is refused', async () => {
    for (const text of ['"a"', '"ab=c"', '"a b="', '7'])
      expect(await refused(around(spanText({ attributes: `[{"value":{"bytesValue":${text}}}]` })))).toContain('base64');
  });

  test('nested values are flattened as those of protobuf are', async () => {
    const nested =
      '{"kvlistValue":{"values":[{"key":"b","value":{"arrayValue":{"values":[{"intValue":"1"},{"doubleValue":2.5},{}]}}},{"key":"a","value":{"bytesValue":"AQI="}}]}}';
    expect(await attribute(nested)).toBe('{"a":"AQI=","b":[1,2.5,null]}');
  });

  test('nesting is bounded, at the depth of protobuf', async () => {
    const nest = (depth: number): string =>
      '{"arrayValue":{"values":['.repeat(depth - 1) + '{"intValue":1}' + ']}}'.repeat(depth - 1);
    expect(await attribute(nest(64))).toBe(`${'['.repeat(63)}1${']'.repeat(63)}`);
    await doors.close();
    doors = await openOtlpDoors();
    expect(await refused(around(spanText({ attributes: `[{"value":${nest(65)}}]` })))).toContain('may nest 64 deep');
    expect(await refused(`{"new":${'['.repeat(600)}${']'.repeat(600)}}`)).toContain('may nest 512 deep');
  });
});

describe('text', () => {
  test('escapes are undone, surrogate pairs joined', async () => {
    const text = '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000"';
    expect(await attribute(`{"stringValue":${text}}`)).toBe('"\\/\b\f\n\r\té😀\0');
  });

  test('half a surrogate pair has no UTF-8 and becomes U+FFFD', async () => {
    expect(await attribute('{"stringValue":"a\\ud83dz\\udc00"}')).toBe('a�z�');
  });

  test('bytes that are no UTF-8 are stored as they came, as in protobuf', async () => {
    const [head, tail] = around(spanText({ name: '"@"' })).split('@') as [string, string];
    const broken = Buffer.from([0x61, 0xff, 0xc3, 0x62]);
    const answer = await post(Buffer.concat([Buffer.from(head), broken, Buffer.from(tail)]));
    expect(answer.status).toBe(200);
    expect(decodeFlat((await doors.journaled())[0] as Buffer)[0]?.name).toBe(broken.toString('latin1'));
  });

  test('a byte order mark and white space are let pass', async () => {
    expect((await post(`\ufeff \n\t${around(spanText())}\r\n `)).status).toBe(200);
  });

  test.each([
    ['nothing', '', 'the text ends where an object must stand'],
    ['null', 'null', 'an object must stand'],
    ['an array', '[]', 'an object must stand'],
    ['two texts', '{}{}', 'nothing may follow the request'],
    ['an open object', '{"resourceSpans":[', 'the text ends where an object must stand'],
    ['a comma too many', '{"resourceSpans":[{},]}', 'an object must stand'],
    ['a comma before }', '{"a":1,}', 'a key must stand'],
    ['a key without quotes', '{resourceSpans:[]}', 'a key must stand'],
    ['a control character', '{"a":"\n"}', 'a control character in a string must be escaped'],
    ['an unknown escape', '{"a":"\\x"}', 'an escape must be one of'],
    ['a cut escape', '{"a":"\\u12"}', 'four hex digits'],
    ['a comment', '{/**/}', 'a key must stand'],
    ['a word', '{"a":tru}', 'a value must stand'],
  ])('%s is refused', async (_what, text, rule) => {
    expect(await refused(text)).toContain(rule);
  });
});
