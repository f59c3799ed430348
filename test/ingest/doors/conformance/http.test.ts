/**
 * The specification's sentences about OTLP/HTTP, as far as they bind a server, in its order; each is asked in both encodings
 * where it speaks of both. https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md
 */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../../app/config/load.ts';
import { type ErrorCode, ERRORS, HeliographError } from '../../../../core/errors.ts';
import {
  decodeFlat,
  decodeStatus,
  decodeTraceResponse,
  fieldViolations,
  retryDelaySeconds,
} from '../../../support/otlp-decode.ts';
import { encodeRequest, type RequestInput } from '../../../support/otlp-encode.ts';
import { encodeJson } from '../../../support/otlp-json.ts';
import {
  type HttpAnswer,
  openOtlpDoors,
  type OtlpDoors,
  type OtlpDoorsOptions,
  send,
} from '../../../support/otlp-doors.ts';
import { ancient, bodyOfBytes, JSON_TYPE, PROTOBUF, requestOf, span } from './support.ts';

const MIB = 1024 * 1024;
let doors: OtlpDoors;

async function reopen(options: OtlpDoorsOptions): Promise<void> {
  await doors.close();
  doors = await openOtlpDoors(options);
}
const failing = (code: ErrorCode, retryAfterSeconds?: number): OtlpDoorsOptions => ({
  around: () => () => Promise.reject(new HeliographError(code, undefined, { retryAfterSeconds })),
});

beforeEach(async () => {
  doors = await openOtlpDoors();
});
afterEach(() => doors.close());

interface Encoding {
  type: string;
  encode(request: RequestInput): Buffer;
  broken: Buffer;
  response(bytes: Buffer): { rejectedSpans: number; errorMessage: string };
  status(bytes: Buffer): { code: number; message: string; violations: { field: string; description: string }[] };
}

const protobuf: Encoding = {
  type: PROTOBUF,
  encode: encodeRequest,
  broken: encodeRequest(requestOf(span())).subarray(0, -4),
  response: decodeTraceResponse,
  status: (bytes) => ({ ...decodeStatus(bytes), violations: fieldViolations(bytes) }),
};

interface JsonStatus {
  code: number;
  message: string;
  details?: { '@type': string; fieldViolations?: { field: string; description: string }[]; retryDelay?: string }[];
}

const json: Encoding = {
  type: JSON_TYPE,
  encode: (request) => encodeJson(request),
  broken: Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":3}]}]}]}'),
  response(bytes) {
    const { partialSuccess } = JSON.parse(bytes.toString()) as { partialSuccess?: Record<string, string> };
    return {
      rejectedSpans: Number(partialSuccess?.['rejectedSpans'] ?? 0),
      errorMessage: partialSuccess?.['errorMessage'] ?? '',
    };
  },
  status(bytes) {
    const { code, message, details = [] } = JSON.parse(bytes.toString()) as JsonStatus;
    const badRequest = details.find((detail) => detail['@type'].endsWith('google.rpc.BadRequest'));
    return { code, message, violations: badRequest?.fieldViolations ?? [] };
  },
};

const post = (encoding: Encoding, body: Uint8Array, headers: object = {}, path = '/v1/traces'): Promise<HttpAnswer> =>
  send(doors.httpUrl + path, { headers: { 'content-type': encoding.type, ...headers }, body });

describe.each([
  ['binary protobuf', protobuf],
  ['JSON protobuf', json],
])('%s', (_name, encoding) => {
  const { encode, type } = encoding;

  test('payloads are sent by POST to /v1/traces and decoded by their Content-Type', async () => {
    const answer = await post(encoding, encode(requestOf(span({ name: 'posted' }))));
    expect(answer.status).toBe(200);
    expect(decodeFlat((await doors.journaled())[0] as Buffer)).toMatchObject([{ name: 'posted' }]);
  });

  test('the server responds with the Content-Type that it received', async () => {
    const good = await post(encoding, encode(requestOf(span())));
    const bad = await post(encoding, encoding.broken);
    expect([good.headers['content-type'], bad.headers['content-type']]).toEqual([type, type]);
  });

  test('parameters of the Content-Type do not matter', async () => {
    const headers = { 'content-type': `${type}; charset=utf-8` };
    expect((await post(encoding, encode(requestOf(span())), headers)).status).toBe(200);
  });

  test('the client may gzip the content', async () => {
    const zipped = gzipSync(encode(requestOf(span({ name: 'zipped' }))));
    expect((await post(encoding, zipped, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(decodeFlat((await doors.journaled())[0] as Buffer)).toMatchObject([{ name: 'zipped' }]);
  });

  test('the size of the body is limited when parsing: above the limit 413', async () => {
    const answer = await post(encoding, Buffer.alloc(16 * MIB + 1));
    expect(answer.status).toBe(413);
    expect(encoding.status(answer.bytes).message).toContain('16 MiB');
  });

  test('the limit holds after decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MIB));
    const answer = await post(encoding, bomb, { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(413);
    expect(answer.headers['retry-after']).toBeUndefined();
  });

  test('full success is 200 with an ExportTraceServiceResponse whose partial_success is unset', async () => {
    const { status, bytes } = await post(encoding, encode(requestOf(span())));
    expect(status).toBe(200);
    expect(bytes.toString()).toBe(type === JSON_TYPE ? '{}' : '');
  });

  test('an empty request is a success', async () => {
    const { status, bytes } = await post(encoding, encode({}));
    expect([status, bytes.toString()]).toEqual([200, type === JSON_TYPE ? '{}' : '']);
  });

  test('an empty envelope is a success', async () => {
    const empty = encode({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [] }] });
    expect((await post(encoding, empty)).status).toBe(200);
    expect(await doors.journaled()).toEqual([]);
  });

  test('partial success is 200 with the number of rejected spans and a message in English', async () => {
    const { status, bytes } = await post(encoding, encode(requestOf(span(), ancient(), span({ spanId: '' }))));
    expect(status).toBe(200);
    const { rejectedSpans, errorMessage } = encoding.response(bytes);
    expect(rejectedSpans).toBe(2);
    expect(errorMessage).toContain('1 with a start_time_unix_nano');
    expect(errorMessage).toContain('1 with a span_id');
  });

  test('data that cannot be decoded is 400, and Status.details has a BadRequest that describes it', async () => {
    const answer = await post(encoding, encoding.broken);
    expect(answer.status).toBe(400);
    const { message, violations } = encoding.status(answer.bytes);
    expect(violations).toHaveLength(1);
    expect(message).not.toBe('');
    expect(violations[0]?.field).toBe(type === JSON_TYPE ? 'resourceSpans[0].scopeSpans[0].spans[0].name' : 'body');
    expect(violations[0]?.description).not.toBe('');
  });

  test('what is said to be gzip and is not is 400', async () => {
    const answer = await post(encoding, Buffer.from('plain'), { 'content-encoding': 'gzip' });
    expect(answer.status).toBe(400);
    expect(encoding.status(answer.bytes).message).toContain('gzip');
  });

  const FAILURES: ErrorCode[] = ['too_busy', 'journal_full', 'journal_unavailable', 'shutting_down', 'internal'];
  test.each(FAILURES)('the body of every 4xx and 5xx is a Status with a message: %s', async (code) => {
    await reopen(failing(code));
    const answer = await post(encoding, encode(requestOf(span())));
    expect(answer.status).toBe(ERRORS[code].http);
    expect(encoding.status(answer.bytes)).toMatchObject({ code: ERRORS[code].grpc, message: ERRORS[code].text });
  });

  test.each([
    ['an unknown path', '/v1/trace', 404],
    ['/v1/metrics', '/v1/metrics', 404],
    ['/v1/logs', '/v1/logs', 404],
    ['/v1development/profiles', '/v1development/profiles', 404],
  ])('%s is not found, told in a Status', async (_what, path, status) => {
    const answer = await post(encoding, Buffer.alloc(0), {}, path);
    expect(answer.status).toBe(status);
    expect(encoding.status(answer.bytes).message).toContain('/v1/traces');
  });

  test('overload is 429 or 503 with Retry-After in seconds, and RetryInfo in the Status', async () => {
    for (const [code, status] of [
      ['too_busy', 429],
      ['journal_full', 503],
    ] as const) {
      await reopen(failing(code, 12));
      const answer = await post(encoding, encode(requestOf(span())));
      expect(answer.status).toBe(status);
      expect(answer.headers['retry-after']).toBe('12');
      if (type === PROTOBUF) expect(retryDelaySeconds(answer.bytes)).toBe(12);
      else expect((JSON.parse(answer.bytes.toString()) as JsonStatus).details?.[0]?.retryDelay).toBe('12s');
    }
  });

  test('a sender that is not admitted is told before its body is read', async () => {
    await reopen({ token: 'secret' });
    const answer = await post(encoding, Buffer.alloc(16 * MIB + 1));
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect(encoding.status(answer.bytes).code).toBe(16);
  });
});

describe('both', () => {
  test('protobuf and JSON share a port and a connection', async () => {
    const request = requestOf(span());
    const raw = (type: string, body: Buffer): Buffer =>
      Buffer.concat([
        Buffer.from(
          `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
        ),
        body,
      ]);
    const socket = connect(Number(new URL(doors.httpUrl).port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.write(Buffer.concat([raw(PROTOBUF, encodeRequest(request)), raw(JSON_TYPE, encodeJson(request))]));
    while (text.split('HTTP/1.1 200').length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    socket.destroy();
    expect(text.match(/content-type: [^\r]*/gi)).toEqual([`content-type: ${PROTOBUF}`, `content-type: ${JSON_TYPE}`]);
  });

  test('only 429, 502, 503 and 504 are retryable, and the error table knows no other', () => {
    const retryable = Object.values(ERRORS).filter((entry) => entry.retryable);
    for (const { http } of retryable) expect([429, 502, 503, 504]).toContain(http);
    for (const entry of Object.values(ERRORS))
      if (!entry.retryable) expect([429, 502, 503, 504]).not.toContain(entry.http);
  });

  test('another Content-Type is refused by name, in a Status of protobuf', async () => {
    const answer = await send(`${doors.httpUrl}/v1/traces`, { headers: { 'content-type': 'text/plain' } });
    expect([answer.status, answer.headers['content-type']]).toEqual([415, PROTOBUF]);
    expect(decodeStatus(answer.bytes).message).toContain('"text/plain" is neither');
    const none = await send(`${doors.httpUrl}/v1/traces`, {});
    expect(none.status).toBe(415);
  });

  test('another method is 405 and told which one it is', async () => {
    const answer = await send(`${doors.httpUrl}/v1/traces`, { method: 'PUT', headers: { 'content-type': JSON_TYPE } });
    expect([answer.status, answer.headers['allow']]).toEqual([405, 'POST']);
    expect((JSON.parse(answer.bytes.toString()) as JsonStatus).message).toContain('takes POST');
  });

  test('another Content-Encoding is refused by name', async () => {
    const headers = { 'content-type': PROTOBUF, 'content-encoding': 'zstd' };
    const answer = await send(`${doors.httpUrl}/v1/traces`, { headers, body: Buffer.from('x') });
    expect(answer.status).toBe(415);
    expect(decodeStatus(answer.bytes).message).toContain('"zstd" is not gzip');
  });

  test('what is no HTTP at all gets a Status too', async () => {
    const socket = connect(Number(new URL(doors.httpUrl).port), '127.0.0.1', () =>
      socket.write('what is this?\r\n\r\n'),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const answer = Buffer.concat(chunks);
    const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4);
    expect(answer.toString('latin1')).toContain(`Content-Type: ${PROTOBUF}`);
    expect(decodeStatus(body).code).toBe(3);
  });

  test('many connections at once are all answered', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => {
        const encoding = at % 2 === 0 ? protobuf : json;
        return post(encoding, encoding.encode(requestOf(span())));
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await doors.journaled()).toHaveLength(40);
  });

  test('a body just under the limit is taken', async () => {
    expect((await post(protobuf, bodyOfBytes(16 * MIB - 1024))).status).toBe(200);
  });

  test('the default port is 4318', () => {
    const { config } = loadConfig({ flags: {}, env: {}, cwd: '/nowhere', readFile: () => undefined });
    expect(config.otlp.httpPort).toBe(4318);
  });
});
