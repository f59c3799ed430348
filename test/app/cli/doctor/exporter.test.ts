import { describe, expect, test } from 'vitest';
import { checkExporter } from '../../../../app/cli/doctor/exporter.ts';
import { configOf, named } from './harness.ts';

const DOOR = 'http://127.0.0.1:4318';
const DOORS = { http: DOOR, grpc: 'http://127.0.0.1:4317' };
const plain = configOf({}).config;
const guarded = configOf({ token: 't0ken/=' }).config;
const GOOD = { OTEL_EXPORTER_OTLP_ENDPOINT: DOOR, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };

test('nothing set: says what a service needs', () => {
  const [check, ...more] = checkExporter({ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_ENDPOINT: '' }, guarded, DOORS);
  expect(more).toEqual([]);
  expect(check).toMatchObject({ state: 'ok', finding: expect.stringContaining(`OTEL_EXPORTER_OTLP_ENDPOINT=${DOOR}`) });
  expect(check?.finding).toContain('Bearer%20<token>');
});

test('all right', () => {
  expect(checkExporter(GOOD, plain, DOORS).map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok']);
});

describe('protocol', () => {
  const protocol = (env: Record<string, string>) =>
    named(checkExporter({ ...GOOD, ...env }, plain, DOORS), 'exporter protocol');

  test.each(['grpc', 'http/json', 'http/protobuf'])('%s is spoken', (value) => {
    expect(protocol({ OTEL_EXPORTER_OTLP_PROTOCOL: value }).state).toBe('ok');
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http' }, 'fail', 'OTEL_EXPORTER_OTLP_PROTOCOL=http, which is none of'],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: '' }, 'warn', 'OTEL_EXPORTER_OTLP_PROTOCOL is not set'],
    [{ OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'thrift' }, 'fail', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=thrift'],
  ])('%j: %s', (env, state, finding) => {
    expect(protocol(env)).toMatchObject({
      state,
      finding: expect.stringContaining(finding),
      mend: expect.stringContaining('=http/protobuf'),
    });
  });

  test('gRPC is looked for at its own port, without a path', () => {
    const endpoint = (value: string, name = 'OTEL_EXPORTER_OTLP_ENDPOINT') =>
      named(checkExporter({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', [name]: value }, plain, DOORS), 'exporter endpoint');
    expect(endpoint('http://localhost:4317').state).toBe('ok');
    expect(endpoint('http://localhost:4317', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT').state).toBe('ok');
    expect(endpoint('').state).toBe('ok');
    expect(endpoint(DOOR)).toMatchObject({
      state: 'fail',
      finding: expect.stringContaining('port 4318, which speaks the other protocol'),
      mend: 'set OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317',
    });
  });
});

describe('endpoint', () => {
  const endpoint = (value: string, name = 'OTEL_EXPORTER_OTLP_ENDPOINT', doors = DOORS) =>
    named(checkExporter({ ...GOOD, [name]: value }, plain, doors), 'exporter endpoint');

  test.each(['http://localhost:4318', 'http://127.0.0.1:4318/', 'http://[::1]:4318'])('%s is the door', (value) => {
    expect(endpoint(value).state).toBe('ok');
  });

  test.each([
    ['http://localhost:4317', 'fail', 'port 4317, which speaks the other protocol'],
    ['http://localhost:9999', 'fail', 'points at port 9999; the door is on 4318'],
    ['https://localhost:4318', 'fail', 'the door takes plain connections'],
    ['http://localhost:4318/v1/traces', 'fail', 'SDKs append /v1/traces themselves'],
    ['http://collector.internal:4318', 'warn', 'points at collector.internal:4318, not at 127.0.0.1:4318'],
    ['localhost', 'fail', 'is not a URL'],
  ])('%s: %s', (value, state, finding) => {
    expect(endpoint(value)).toEqual({
      name: 'exporter endpoint',
      state,
      finding: expect.stringContaining(finding),
      mend: `set OTEL_EXPORTER_OTLP_ENDPOINT=${DOOR}`,
    });
  });

  test('the one for traces alone goes before the other and is used as it stands', () => {
    const name = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
    expect(endpoint(`${DOOR}/v1/traces`, name).state).toBe('ok');
    expect(endpoint(DOOR, name)).toMatchObject({ state: 'fail', mend: `set ${name}=${DOOR}/v1/traces` });
  });

  test('absent is right only while the door is where SDKs look by themselves', () => {
    expect(endpoint('').state).toBe('ok');
    expect(endpoint('', undefined, { ...DOORS, http: 'http://127.0.0.1:5000' })).toMatchObject({
      state: 'fail',
      mend: 'set OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:5000',
    });
  });
});

describe('token', () => {
  const token = (headers: string, config = guarded) =>
    named(checkExporter({ ...GOOD, OTEL_EXPORTER_OTLP_HEADERS: headers }, config, DOORS), 'exporter token');

  test.each(['Authorization=Bearer%20t0ken%2F%3D', 'x=1, authorization=Bearer t0ken/='])('%s carries it', (headers) => {
    expect(token(headers).state).toBe('ok');
  });

  test.each([
    ['', 'does not carry it'],
    ['x-api-key=t0ken/=', 'does not carry it'],
    ['Authorization=Bearer%20other', 'carries another token'],
    ['Authorization=Bearer%zz', 'carries another token'],
  ])('%j', (headers, finding) => {
    const check = token(headers);
    expect(check).toMatchObject({
      state: 'fail',
      finding: expect.stringContaining(finding),
      mend: expect.stringContaining('Authorization=Bearer%20'),
    });
    expect(JSON.stringify(check)).not.toContain('t0ken');
  });

  test('none set: none needed', () => {
    expect(token('', plain).state).toBe('ok');
  });
});

test.each([
  [{ OTEL_SDK_DISABLED: 'true' }, 'unset OTEL_SDK_DISABLED'],
  [{ OTEL_TRACES_EXPORTER: 'none' }, 'set OTEL_TRACES_EXPORTER=otlp'],
  [{ OTEL_TRACES_EXPORTER: 'console' }, 'set OTEL_TRACES_EXPORTER=otlp'],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, 'unset OTEL_TRACES_SAMPLER'],
])('traces switched off by %j', (env, mend) => {
  const check = named(checkExporter({ ...GOOD, ...env }, plain, DOORS), 'exporter switch');
  expect(check).toMatchObject({ state: 'fail', mend: expect.stringContaining(mend) });
});
