import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { listen } from '../../../app/http/listen.ts';
import { HeliographError } from '../../../core/errors.ts';
import { decodeStatus } from '../../support/otlp-decode.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';
import { EXPORT, grpcClient, openOtlpDoors, type OtlpDoors, type OtlpDoorsOptions } from '../../support/otlp-doors.ts';
import { typicalBody } from '../../support/otlp-typical.ts';

const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
const body = (seed: number, spans = 64): Buffer => typicalBody({ seed, spans, nowNs: nowNs() });

let doors: OtlpDoors;
let client: ReturnType<typeof grpcClient>;

async function open(options: OtlpDoorsOptions = {}): Promise<void> {
  doors = await openOtlpDoors(options);
  client = grpcClient(doors.grpcPort);
}

afterEach(async () => {
  client.close();
  await doors.close();
});

test('a body lies in the journal as it came, and is counted as one of this door', async () => {
  await open();
  const sent = body(1);
  expect(await client.call(sent)).toMatchObject({ code: status.OK, response: Buffer.alloc(0) });
  expect(await doors.journaled()).toEqual([sent]);
  const { byDoor, bodies } = doors.ledger.totals();
  expect(bodies).toBe(1);
  expect(byDoor).toEqual({
    otlp_http: { bodies: 0, bytes: 0, spans: 0 },
    otlp_grpc: { bodies: 1, bytes: sent.length, spans: 64 },
  });
});

test('forty calls at once on one connection are all durable', async () => {
  await open();
  const bodies = Array.from({ length: 40 }, (_, seed) => body(seed + 1));
  const answers = await Promise.all(bodies.map((each) => client.call(each, { gzip: true })));
  expect(answers.every(({ code }) => code === status.OK)).toBe(true);
  const stored = await doors.journaled();
  expect(stored.map(String).toSorted()).toEqual(bodies.map(String).toSorted());
});

test('the sender that was admitted is the one whose lane the body lands in', async () => {
  await open({ admission: { admit: async ({ authorization }) => ({ team: authorization ?? '', key: 'k' }) } });
  await client.call(body(1), { metadata: { authorization: 'alpha' } });
  await client.call(body(2), { metadata: { authorization: 'beta' } });
  await doors.journal.sealAll();
  expect(
    doors.journal
      .sealed()
      .map(({ team }) => team)
      .toSorted(),
  ).toEqual(['alpha', 'beta']);
});

test('a sender without credentials is refused before its body is read', async () => {
  let read = 0;
  await open({
    token: 'secret',
    around: (receive) => (collector, received) => {
      read += 1;
      return receive(collector, received);
    },
  });
  const session = connectHttp2(`http://127.0.0.1:${doors.grpcPort}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': EXPORT,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  expect(headers['grpc-status']).toBe(String(status.UNAUTHENTICATED)); // nothing of a body has been sent
  session.destroy();
  expect(await client.call(body(1))).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(await client.call(body(1), { metadata: { authorization: 'Bearer wrong' } })).toMatchObject({
    code: status.UNAUTHENTICATED,
  });
  expect(read).toBe(0);
  expect(await client.call(body(1), { metadata: { authorization: 'Bearer secret' } })).toMatchObject({
    code: status.OK,
  });
  expect(read).toBe(1);
  expect(doors.ledger.totals().refused).toMatchObject([{ reason: 'unauthenticated', count: 3 }]);
});

test('a fault of our own is INTERNAL, logged whole and told without details', async () => {
  await open({
    around: () => async () => {
      throw new TypeError('the disk spoke French');
    },
  });
  const answer = await client.call(body(1));
  expect(answer.code).toBe(status.INTERNAL);
  expect(answer.message).not.toContain('French');
  expect(JSON.stringify(doors.log.lines.map(({ fields }) => String((fields as { err?: unknown }).err)))).toContain(
    'French',
  );
});

test('a message that is cut short, or of another encoding, or no gzip, is refused by name; the connection lives on', async () => {
  await open();
  const session = connectHttp2(`http://127.0.0.1:${doors.grpcPort}`);
  const call = async (frame: Buffer, headers: Record<string, string> = {}): Promise<string> => {
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.end(frame);
    const [answer] = (await once(stream, 'response')) as [Record<string, string>];
    const trailers =
      answer['grpc-status'] === undefined ? ((await once(stream, 'trailers')) as [Record<string, string>])[0] : answer;
    stream.close();
    return trailers['grpc-status'] ?? '';
  };
  const framed = (bytes: Buffer, flag = 0): Buffer => {
    const head = Buffer.alloc(5);
    head[0] = flag;
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  };
  const good = body(1);
  expect(await call(framed(randomBytes(200), 1), { 'grpc-encoding': 'gzip' })).toBe(String(status.INVALID_ARGUMENT));
  expect(await call(framed(good, 1), { 'grpc-encoding': 'br' })).toBe(String(status.INVALID_ARGUMENT));
  expect(await call(Buffer.alloc(0))).not.toBe(String(status.OK));
  expect(await call(Buffer.concat([framed(good), framed(good)]))).not.toBe(String(status.OK));
  expect(await call(framed(good), { 'grpc-timeout': 'soon' })).not.toBe(String(status.OK));
  expect(await call(framed(good))).toBe(String(status.OK));
  session.destroy();
  expect(await doors.journaled()).toEqual([good]);
  const reasons = doors.ledger.totals().refused.map(({ reason }) => reason);
  expect(reasons).toEqual(expect.arrayContaining(['bad_encoding', 'unsupported_encoding', 'bad_grpc']));
});

test('a size that is announced but never sent costs nothing', async () => {
  await open();
  const session = connectHttp2(`http://127.0.0.1:${doors.grpcPort}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': EXPORT,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  expect(headers['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
  expect(decodeURIComponent(headers['grpc-message'] ?? '')).toContain('16 MiB');
  session.destroy();
  expect(doors.ledger.totals().refused).toMatchObject([{ reason: 'body_too_large' }]);
});

test('a call that is under way when the door closes is answered; later ones are not', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let arrived = (): void => {};
  const under = new Promise<void>((resolve) => (arrived = resolve));
  await open({
    around: (receive) => async (collector, received) => {
      arrived();
      await held;
      return receive(collector, received);
    },
  });
  const answer = client.call(body(1));
  await under;
  const closing = doors.grpcDoor.close(10_000);
  const later = grpcClient(doors.grpcPort);
  expect(await later.call(body(2), { deadlineMs: 2_000 })).toMatchObject({ code: status.UNAVAILABLE });
  later.close();
  release();
  expect(await answer).toMatchObject({ code: status.OK });
  await closing;
  expect(await doors.journaled()).toHaveLength(1);
});

test('a call that does not end is cut at the limit', async () => {
  await open({ around: () => () => new Promise(() => {}) });
  const answer = client.call(body(1));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await doors.grpcDoor.close(100);
  expect((await answer).code).not.toBe(status.OK);
});

test('a door that nobody called closes at once, silent connections included', async () => {
  await open();
  const silent = connect(doors.grpcPort, '127.0.0.1');
  await once(silent, 'connect');
  const gone = once(silent, 'close');
  await doors.grpcDoor.close(60_000);
  await gone;
});

test('HTTP/1.1 on this port is told so, in a Status', async () => {
  await open();
  const response = await fetch(`http://127.0.0.1:${doors.grpcPort}/v1/traces`, { method: 'POST', body: 'x' });
  expect(response.status).toBe(400);
  expect(decodeStatus(Buffer.from(await response.arrayBuffer())).message).toMatch(/PROTOCOL=grpc/);
  expect(doors.ledger.totals().refused).toMatchObject([{ reason: 'http_on_grpc_port' }]);
});

test('TLS on this port is counted with the mend, and harms nobody else', async () => {
  await open();
  const socket = connectTls({ port: doors.grpcPort, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'error');
  expect(doors.ledger.totals().refused).toMatchObject([
    { reason: 'tls_on_plain_port', hint: expect.stringContaining('OTEL_EXPORTER_OTLP_INSECURE=true') },
  ]);
  expect(await client.call(body(1))).toMatchObject({ code: status.OK });
});

test('a preface that comes byte by byte is a preface', async () => {
  await open();
  const socket = connect(doors.grpcPort, '127.0.0.1');
  const answer = once(socket, 'data');
  socket.setNoDelay(true);
  for (const byte of Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const [bytes] = (await answer) as [Buffer];
  expect(bytes[3]).toBe(4); // a SETTINGS frame
  socket.destroy();
});

test('a taken port is refused by its number and variable', async () => {
  await open();
  const other = await openOtlpDoors();
  await other.grpcDoor.close(100);
  const taken = listen(
    { listen: (options) => other.grpcDoor.listen(options), server: other.grpcDoor.server },
    '127.0.0.1',
    doors.grpcPort,
    'HELIOGRAPH_OTLP_GRPC_PORT',
  );
  await expect(taken).rejects.toThrow(
    new HeliographError(
      'port_taken',
      `port ${doors.grpcPort} on 127.0.0.1 is in use; set HELIOGRAPH_OTLP_GRPC_PORT to another (0 takes a free one)`,
    ),
  );
  await other.close();
});

test('nested values take the slow lane on this door too', async () => {
  await open();
  const span = {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    startTimeUnixNano: nowNs(),
    endTimeUnixNano: nowNs(),
    attributes: [{ key: 'list', value: { arrayValue: { values: [{ intValue: 1 }] } } }],
  };
  await client.call(encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
  expect((await doors.journaled())[0]?.includes('[1]')).toBe(true);
});
