/** Checks of this shell's OpenTelemetry variables: would an SDK started from here reach the OTLP door? */
import type { Environment } from '../../config/environment.ts';
import { isLoopback } from '../../config/loopback.ts';
import type { Config } from '../../config/schema.ts';
import { type Check, fail, ok, warn } from './check.ts';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL';
const HEADERS = 'OTEL_EXPORTER_OTLP_HEADERS';
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const TRACES_PATH = '/v1/traces';

/** `otlpUrl`: where the OTLP door is or will be, without a path. */
export function checkExporter(env: Environment, config: Config, otlpUrl: string): Check[] {
  const given = Object.keys(env).filter((name) => /^OTEL_(EXPORTER_OTLP_|TRACES_|SDK_)/.test(name) && env[name] !== '');
  if (given.length === 0) {
    const token = config.token === undefined ? '' : ` and ${HEADERS}=Authorization=Bearer%20<token>`;
    return [
      ok(
        'exporter',
        `no OTEL_* variables in this shell; a service needs ${ENDPOINT}=${otlpUrl}, ${PROTOCOL}=http/protobuf${token}`,
      ),
    ];
  }
  return [checkSwitches(env), checkProtocol(env), checkEndpoint(env, otlpUrl), checkHeaders(env, config.token)];
}

function checkSwitches(env: Environment): Check {
  const name = 'exporter switch';
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') {
    return fail(name, 'OTEL_SDK_DISABLED=true: the SDK sends nothing', 'unset OTEL_SDK_DISABLED');
  }
  const exporters = env['OTEL_TRACES_EXPORTER'];
  if (exporters !== undefined && exporters !== '' && !exporters.split(',').some((each) => each.trim() === 'otlp')) {
    return fail(
      name,
      `OTEL_TRACES_EXPORTER=${exporters}: traces go elsewhere`,
      'set OTEL_TRACES_EXPORTER=otlp or unset it',
    );
  }
  if (env['OTEL_TRACES_SAMPLER'] === 'always_off') {
    return fail(name, 'OTEL_TRACES_SAMPLER=always_off: no trace is kept', 'unset OTEL_TRACES_SAMPLER');
  }
  return ok(name, 'traces are on');
}

function checkProtocol(env: Environment): Check {
  const name = 'exporter protocol';
  const [variable, value] = firstOf(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', PROTOCOL);
  if (value === 'http/protobuf') return ok(name, `${variable}=${value}`);
  const mend = `set ${variable ?? PROTOCOL}=http/protobuf`;
  if (value === undefined) return warn(name, `${PROTOCOL} is not set; some SDKs then speak gRPC`, mend);
  if (value === 'grpc') return fail(name, `${variable}=grpc, but the door speaks HTTP`, mend);
  return fail(name, `${variable}=${value}, but the door takes protobuf`, mend);
}

function checkEndpoint(env: Environment, otlpUrl: string): Check {
  const name = 'exporter endpoint';
  const [variable, value] = firstOf(env, TRACES_ENDPOINT, ENDPOINT);
  const isTraces = variable === TRACES_ENDPOINT;
  const right = isTraces ? otlpUrl + TRACES_PATH : otlpUrl;
  const mend = `set ${variable ?? ENDPOINT}=${right}`;
  if (variable === undefined || value === undefined) {
    if (new URL(otlpUrl).port === '4318')
      return ok(name, `${ENDPOINT} is not set; SDKs then use http://localhost:4318, which is the door`);
    return fail(name, `${ENDPOINT} is not set; SDKs then use http://localhost:4318, the door is ${otlpUrl}`, mend);
  }
  if (!URL.canParse(value)) return fail(name, `${variable}=${value} is not a URL`, mend);
  const wrong = whatIsWrong(new URL(value), new URL(otlpUrl), isTraces);
  if (wrong === undefined) return ok(name, `${variable} points at the door`);
  return wrong.sure ? fail(name, `${variable}: ${wrong.text}`, mend) : warn(name, `${variable}: ${wrong.text}`, mend);
}

function whatIsWrong(endpoint: URL, door: URL, isTraces: boolean): { text: string; sure: boolean } | undefined {
  const port = endpoint.port === '' ? (endpoint.protocol === 'https:' ? '443' : '80') : endpoint.port;
  if (endpoint.hostname !== door.hostname && !(isLocal(endpoint) && isLocal(door))) {
    return { text: `points at ${endpoint.host}, not at ${door.host}`, sure: false };
  }
  if (port !== door.port) {
    const grpc = port === '4317' ? ', the port of gRPC, which is not open' : '';
    return { text: `points at port ${port}${grpc}; the door is on ${door.port}`, sure: true };
  }
  if (endpoint.protocol !== door.protocol)
    return { text: `starts with ${endpoint.protocol}// but the door speaks plain HTTP`, sure: true };
  const path = endpoint.pathname.replace(/\/+$/, '');
  if (isTraces && path !== TRACES_PATH)
    return { text: `must end in ${TRACES_PATH}, it is used as it stands`, sure: true };
  if (!isTraces && path !== '')
    return { text: `has the path ${path}; SDKs append ${TRACES_PATH} themselves`, sure: true };
  return undefined;
}

function checkHeaders(env: Environment, token: string | undefined): Check {
  const name = 'exporter token';
  const [variable = HEADERS, value = ''] = firstOf(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS', HEADERS);
  if (token === undefined) return ok(name, 'none is needed');
  const mend = `set ${variable}=Authorization=Bearer%20<the token of HELIOGRAPH_TOKEN>`;
  const authorization = headerOf(value, 'authorization');
  if (authorization === undefined) return fail(name, `a token is set, but ${variable} does not carry it`, mend);
  if (authorization !== `Bearer ${token}`) return fail(name, `${variable} carries another token`, mend);
  return ok(name, `${variable} carries it`);
}

/** A header out of `name=value,name=value` with percent-encoded values. */
function headerOf(list: string, wanted: string): string | undefined {
  for (const pair of list.split(',')) {
    const at = pair.indexOf('=');
    if (pair.slice(0, at).trim().toLowerCase() !== wanted) continue;
    const value = pair.slice(at + 1).trim();
    try {
      return decodeURIComponent(value);
    } catch {
      return value;
    }
  }
  return undefined;
}

function firstOf(env: Environment, ...names: string[]): [string, string] | [undefined, undefined] {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value !== undefined && value !== '') return [name, value];
  }
  return [undefined, undefined];
}

function isLocal({ hostname }: URL): boolean {
  return isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
