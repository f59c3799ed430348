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
const PROTOCOLS: ReadonlySet<string> = new Set(['http/protobuf', 'http/json', 'grpc']);

/** Where the OTLP doors are or will be, without a path. */
export interface OtlpUrls {
  http: string;
  grpc: string;
}

export function checkExporter(env: Environment, config: Config, otlpUrls: OtlpUrls): Check[] {
  const given = Object.keys(env).filter((name) => /^OTEL_(EXPORTER_OTLP_|TRACES_|SDK_)/.test(name) && env[name] !== '');
  if (given.length === 0) {
    const token = config.token === undefined ? '' : ` and ${HEADERS}=Authorization=Bearer%20<token>`;
    return [
      ok(
        'exporter',
        `no OTEL_* variables in this shell; a service needs ${ENDPOINT}=${otlpUrls.http}, ${PROTOCOL}=http/protobuf${token}`,
      ),
    ];
  }
  return [checkSwitches(env), checkProtocol(env), checkEndpoint(env, otlpUrls), checkHeaders(env, config.token)];
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
  const [variable, value] = protocolOf(env);
  if (value !== undefined && PROTOCOLS.has(value)) return ok(name, `${variable}=${value}`);
  const mend = `set ${variable ?? PROTOCOL}=http/protobuf`;
  if (value === undefined) return warn(name, `${PROTOCOL} is not set; some SDKs then speak gRPC`, mend);
  return fail(name, `${variable}=${value}, which is none of ${[...PROTOCOLS].join(', ')}`, mend);
}

function protocolOf(env: Environment): [string, string] | [undefined, undefined] {
  return firstOf(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', PROTOCOL);
}

function checkEndpoint(env: Environment, { http, grpc }: OtlpUrls): Check {
  const name = 'exporter endpoint';
  const [variable, value] = firstOf(env, TRACES_ENDPOINT, ENDPOINT);
  const isGrpc = protocolOf(env)[1] === 'grpc';
  const otlpUrl = isGrpc ? grpc : http;
  const isTraces = variable === TRACES_ENDPOINT && !isGrpc; // gRPC has no path
  const right = isTraces ? otlpUrl + TRACES_PATH : otlpUrl;
  const mend = `set ${variable ?? ENDPOINT}=${right}`;
  if (variable === undefined || value === undefined) {
    const standard = `http://localhost:${isGrpc ? '4317' : '4318'}`;
    if (new URL(otlpUrl).port === new URL(standard).port)
      return ok(name, `${ENDPOINT} is not set; SDKs then use ${standard}, which is the door`);
    return fail(name, `${ENDPOINT} is not set; SDKs then use ${standard}, the door is ${otlpUrl}`, mend);
  }
  if (!URL.canParse(value)) return fail(name, `${variable}=${value} is not a URL`, mend);
  const wrong = whatIsWrong(new URL(value), {
    door: new URL(otlpUrl),
    isTraces,
    otherPort: new URL(isGrpc ? http : grpc).port,
  });
  if (wrong === undefined) return ok(name, `${variable} points at the door`);
  return wrong.sure ? fail(name, `${variable}: ${wrong.text}`, mend) : warn(name, `${variable}: ${wrong.text}`, mend);
}

function whatIsWrong(
  endpoint: URL,
  { door, isTraces, otherPort }: { door: URL; isTraces: boolean; otherPort: string },
): { text: string; sure: boolean } | undefined {
  const port = endpoint.port === '' ? (endpoint.protocol === 'https:' ? '443' : '80') : endpoint.port;
  if (endpoint.hostname !== door.hostname && !(isLocal(endpoint) && isLocal(door))) {
    return { text: `points at ${endpoint.host}, not at ${door.host}`, sure: false };
  }
  if (port !== door.port) {
    const other = port === otherPort ? ', which speaks the other protocol' : '';
    return { text: `points at port ${port}${other}; the door is on ${door.port}`, sure: true };
  }
  if (endpoint.protocol !== door.protocol)
    return { text: `starts with ${endpoint.protocol}// but the door takes plain connections`, sure: true };
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
