/**
 * The specification's sentences about OTLP/gRPC, as far as they bind a server, in its order; a real grpc-js client asks.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md
 */
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../../app/config/load.ts';
import { HeliographError, type ErrorCode } from '../../../../core/errors.ts';
import {
  decodeFlat,
  decodeStatus,
  decodeTraceResponse,
  fieldViolations,
  retryDelaySeconds,
  statusDetails,
} from '../../../support/otlp-decode.ts';
import {
  EXPORT,
  grpcClient,
  openOtlpDoors,
  type OtlpDoors,
  type OtlpDoorsOptions,
} from '../../../support/otlp-doors.ts';
import { typicalBody } from '../../../support/otlp-typical.ts';
import { ancient, bodyOfBytes, nowNs, protobufOf, requestOf, span } from './support.ts';
import { encodeRequest } from '../../../support/otlp-encode.ts';

const MIB = 1024 * 1024;
let doors: OtlpDoors;
let client: ReturnType<typeof grpcClient>;

async function open(options: OtlpDoorsOptions = {}): Promise<void> {
  doors = await openOtlpDoors(options);
  client = grpcClient(doors.grpcPort);
}
async function close(): Promise<void> {
  client.close();
  await doors.close();
}
async function reopen(options: OtlpDoorsOptions): Promise<void> {
  await close();
  await open(options);
}
/** A door whose journal always answers with this error. */
const failing = (code: ErrorCode, retryAfterSeconds?: number): OtlpDoorsOptions => ({
  around: () => () => Promise.reject(new HeliographError(code, undefined, { retryAfterSeconds })),
});

beforeEach(() => open());
afterEach(close);

describe('transport', () => {
  test('server components support no compression', async () => {
    expect(await client.call(protobufOf(span()))).toMatchObject({ code: status.OK });
  });

  test('server components support gzip', async () => {
    const body = typicalBody({ seed: 1, spans: 64, nowNs: nowNs() });
    expect(await client.call(body, { gzip: true })).toMatchObject({ code: status.OK });
    expect(await doors.journaled()).toEqual([body]);
  });

  test('telemetry is sent by unary requests of Export*ServiceRequest', async () => {
    await client.call(encodeRequest(requestOf(span({ name: 'unary' }))));
    expect(decodeFlat((await doors.journaled())[0] as Buffer)).toMatchObject([{ name: 'unary' }]);
  });

  test('the default port is 4317', () => {
    const { config } = loadConfig({ flags: {}, env: {}, cwd: '/nowhere', readFile: () => undefined });
    expect(config.otlp.grpcPort).toBe(4317);
  });
});

describe('size limit', () => {
  test('the server enforces a message size limit: 16 MiB is taken', async () => {
    const body = bodyOfBytes(16 * MIB - 1024);
    expect(await client.call(body)).toMatchObject({ code: status.OK });
  });

  test('above it the status is RESOURCE_EXHAUSTED', async () => {
    const answer = await client.call(bodyOfBytes(16 * MIB + 1024));
    expect(answer).toMatchObject({ code: status.RESOURCE_EXHAUSTED, message: expect.stringContaining('16 MiB') });
  });

  test('the limit holds after decompression', async () => {
    const answer = await client.call(Buffer.alloc(64 * MIB), { gzip: true });
    expect(answer).toMatchObject({ code: status.RESOURCE_EXHAUSTED, message: expect.stringContaining('16 MiB') });
  });

  test('such an error is not retryable: it carries no RetryInfo', async () => {
    const { details } = await client.call(Buffer.alloc(64 * MIB), { gzip: true });
    expect(decodeStatus(details).code).toBe(status.RESOURCE_EXHAUSTED);
    expect(retryDelaySeconds(details)).toBeUndefined();
  });
});

describe('concurrent requests', () => {
  test('requests sent without waiting for the response to earlier ones are all answered', async () => {
    const bodies = Array.from({ length: 100 }, () => protobufOf(span()));
    const answers = await Promise.all(bodies.map((body) => client.call(body)));
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([status.OK]));
    expect((await doors.journaled()).length).toBe(100);
  });

  test('a sequential sender is answered request by request', async () => {
    for (let i = 0; i < 3; i++) expect(await client.call(protobufOf(span()))).toMatchObject({ code: status.OK });
  });

  test('a request that was not answered may be sent again: the same bytes are a success again', async () => {
    const body = protobufOf(span());
    await client.call(body);
    expect(await client.call(body)).toMatchObject({ code: status.OK, response: Buffer.alloc(0) });
  });
});

describe('full success', () => {
  test('the response is an ExportTraceServiceResponse with partial_success unset', async () => {
    const { response } = await client.call(protobufOf(span()));
    expect(response).toEqual(Buffer.alloc(0)); // no field at all, as serialized
  });

  test('an empty request is a success', async () => {
    expect(await client.call(Buffer.alloc(0))).toMatchObject({ code: status.OK, response: Buffer.alloc(0) });
  });

  test('an empty envelope (a resource without spans) is a success', async () => {
    const body = encodeRequest({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ spans: [] }] }] });
    expect(await client.call(body)).toMatchObject({ code: status.OK, response: Buffer.alloc(0) });
    expect(await doors.journaled()).toEqual([]);
  });
});

describe('partial success', () => {
  test('the response is the same message, with the number of rejected spans', async () => {
    const { code, response } = await client.call(protobufOf(span(), ancient(), ancient()));
    expect(code).toBe(status.OK);
    expect(decodeTraceResponse(response as Buffer).rejectedSpans).toBe(2);
  });

  test('error_message says in English why, and how to mend it', async () => {
    const { response } = await client.call(protobufOf(span(), ancient(), span({ traceId: 'ab' })));
    const { errorMessage } = decodeTraceResponse(response as Buffer);
    expect(errorMessage).toMatch(/start_time_out_of_range.*check the sender's clock|check the sender's clock/s);
    expect(errorMessage).toContain('1 with a trace_id that is not 16 bytes');
  });

  test('the accepted parts are stored', async () => {
    await client.call(protobufOf(span({ name: 'kept' }), ancient()));
    expect(decodeFlat((await doors.journaled())[0] as Buffer).map(({ name }) => name)).toContain('kept');
  });
});

describe('failures', () => {
  test('bad data is INVALID_ARGUMENT, which is not retryable', async () => {
    const answer = await client.call(protobufOf(span()).subarray(0, -3));
    expect(answer).toMatchObject({ code: status.INVALID_ARGUMENT, message: expect.stringMatching(/byte \d+/) });
    expect(retryDelaySeconds(answer.details)).toBeUndefined();
  });

  test('details carry a BadRequest that describes the bad data', async () => {
    const { details, message } = await client.call(Buffer.from('no protobuf at all'));
    expect(statusDetails(details).map(({ type }) => type)).toEqual(['type.googleapis.com/google.rpc.BadRequest']);
    const [violation] = fieldViolations(details);
    expect(violation?.field).toBe('body');
    expect(message).toContain(violation?.description.replace(/ \(at byte \d+\)$/, '') ?? '');
  });

  test('details repeat code and message of the status', async () => {
    const { code, message, details } = await client.call(Buffer.from('no protobuf at all'));
    expect(decodeStatus(details)).toEqual({ code, message });
  });

  test('other codes are used where they are more appropriate: UNAUTHENTICATED', async () => {
    await reopen({ token: 'secret' });
    expect(await client.call(protobufOf(span()))).toMatchObject({ code: status.UNAUTHENTICATED });
  });

  test.each(['metrics.v1.Metrics', 'logs.v1.Logs', 'profiles.v1development.Profiles'])(
    'other codes are used where they are more appropriate: UNIMPLEMENTED for %s, naming what is collected',
    async (service) => {
      const method = `/opentelemetry.proto.collector.${service}Service/Export`;
      const answer = await client.call(Buffer.alloc(0), { method });
      expect(answer).toMatchObject({ code: status.UNIMPLEMENTED, message: expect.stringContaining('TraceService') });
    },
  );

  test('a method that is none of OTLP is UNIMPLEMENTED', async () => {
    const method = EXPORT.replace('Export', 'Import');
    expect(await client.call(Buffer.alloc(0), { method })).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  const RETRYABLE: ErrorCode[] = [
    'too_busy',
    'journal_full',
    'journal_unavailable',
    'shutting_down',
    'store_unavailable',
    'store_timeout',
  ];
  test.each(RETRYABLE)('%s is a code of the retryable ones', async (code) => {
    await reopen(failing(code));
    const retryable = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED];
    expect(retryable).toContain((await client.call(protobufOf(span()))).code);
  });

  const LASTING: ErrorCode[] = ['bad_request', 'bad_framing', 'bad_encoding', 'body_too_large', 'internal'];
  test.each(LASTING)('%s is none of the retryable ones and carries no RetryInfo', async (code) => {
    await reopen(failing(code));
    const answer = await client.call(protobufOf(span()));
    const lasting = [status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED, status.INTERNAL];
    expect(lasting).toContain(answer.code);
    expect(retryDelaySeconds(answer.details)).toBeUndefined();
  });
});

describe('throttling', () => {
  test('back-pressure is UNAVAILABLE with RetryInfo, whose delay the server chooses', async () => {
    await reopen(failing('journal_full', 30));
    const { code, details } = await client.call(protobufOf(span()));
    expect(code).toBe(status.UNAVAILABLE);
    expect(retryDelaySeconds(details)).toBe(30);
  });

  test('a delay is there also where nobody chose one', async () => {
    await reopen(failing('too_busy'));
    expect(retryDelaySeconds((await client.call(protobufOf(span()))).details)).toBe(1);
  });

  test('a journal that is full says so, and takes bodies again when there is room', async () => {
    await reopen({ maxBacklogBytes: 40_000 });
    const body = (seed: number): Buffer => typicalBody({ seed, spans: 64, nowNs: nowNs() });
    const codes = new Set<number>();
    for (let seed = 1; seed < 8; seed++) codes.add((await client.call(body(seed))).code);
    expect(codes).toEqual(new Set([status.OK, status.UNAVAILABLE]));
    await doors.journal.sealAll();
    for (const segment of doors.journal.sealed()) await doors.journal.remove(segment.name);
    expect(await client.call(body(9))).toMatchObject({ code: status.OK });
  });
});

describe('interoperability', () => {
  test('fields of a newer OTLP are ignored', async () => {
    const unknown = Buffer.from([0xa2, 0x06, 0x02, 0xff, 0xff]); // field 100 at the top
    const body = Buffer.concat([protobufOf(span({ name: 'newer' })), unknown]);
    expect(await client.call(body)).toMatchObject({ code: status.OK });
    expect(decodeFlat((await doors.journaled())[0] as Buffer)).toMatchObject([{ name: 'newer' }]);
  });
});
