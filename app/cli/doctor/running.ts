/** Checks of the running instance: is it there, is it well, does anything reach it, and what does it turn away. */
import type { RefusalCount } from '../../../ingest/doors/ledger.ts';
import type { Status } from '../../status.ts';
import { type Check, fail, ok, warn } from './check.ts';
import type { Seen } from './observe.ts';

const MINUTE_MS = 60_000;
const QUIET_MS = 15 * MINUTE_MS;
const OLD_REFUSAL_MS = 60 * MINUTE_MS;
const OLD_SEGMENT_MS = MINUTE_MS;
const GIB = 1024 ** 3;

/** What a sender must change, for the refusals that come of a wrong setting. */
const MENDS: Readonly<Record<string, (httpUrl: string, grpcUrl: string) => string>> = {
  unsupported_media_type: () =>
    'an exporter sends neither protobuf nor JSON: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf in that service',
  grpc_on_http_port: (_url, grpcUrl) =>
    `an exporter speaks gRPC to the HTTP port: set OTEL_EXPORTER_OTLP_ENDPOINT=${grpcUrl} in that service, or OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf (Go: otlptracehttp, not otlptracegrpc)`,
  http_on_grpc_port: (url) =>
    `an exporter speaks HTTP to the gRPC port: set OTEL_EXPORTER_OTLP_ENDPOINT=${url} in that service, or OTEL_EXPORTER_OTLP_PROTOCOL=grpc`,
  tls_on_plain_port: (_url, grpcUrl) =>
    `an exporter wants TLS: set OTEL_EXPORTER_OTLP_ENDPOINT=${grpcUrl} or OTEL_EXPORTER_OTLP_INSECURE=true in that service`,
  wrong_path: (url) =>
    `set OTEL_EXPORTER_OTLP_ENDPOINT=${url} without a path, or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${url}/v1/traces, in that service`,
  unauthenticated: () =>
    'set OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<the token of HELIOGRAPH_TOKEN> in that service',
  signal_not_supported: () =>
    'set OTEL_METRICS_EXPORTER=none and OTEL_LOGS_EXPORTER=none in that service; traces are not affected',
};
/** Harmless to the traces of the service that is refused. */
const MILD: ReadonlySet<string> = new Set(['signal_not_supported']);

/** Every check of an instance that can be made with what was seen of it. */
export function checkRunning(seen: Seen, baseUrl: string | undefined, maxBacklogGiB: number, nowMs: number): Check[] {
  const name = 'instance';
  const where = baseUrl ?? 'this data directory';
  if (seen.kind === 'down')
    return [warn(name, `no Heliograph answers at ${where} (${seen.reason})`, 'start it: heliograph serve')];
  if (seen.kind === 'locked') {
    return [
      fail(
        name,
        `the Heliograph at ${where} wants another token`,
        'set HELIOGRAPH_TOKEN to the one it was started with',
      ),
    ];
  }
  if (seen.kind === 'foreign') {
    const finding = `something else answers at ${where} (status ${seen.status})`;
    return [fail(name, finding, 'stop that program or set HELIOGRAPH_PORT to another port')];
  }
  const { status, readiness } = seen;
  return [
    readiness.ok
      ? ok(name, `Heliograph ${status.version} answers at ${where}, up ${durationText(status.uptimeSeconds * 1000)}`)
      : notReady(seen),
    checkEngine(status),
    checkBacklog(status, maxBacklogGiB, nowMs),
    checkArrivals(status, nowMs),
    ...checkRefusals(status, nowMs),
  ];
}

function notReady({ readiness }: Extract<Seen, { kind: 'up' }>): Check {
  const reasons = readiness.checks
    .filter((check) => !check.ok)
    .map((check) => `${check.name}: ${check.reason ?? 'no reason given'}`);
  return fail(
    'instance',
    `running, but not ready: ${reasons.join('; ')}`,
    'wait if it has just started; else see its log',
  );
}

function checkEngine({ engine }: Status): Check {
  if (engine.state !== 'running') {
    return fail(
      'engine',
      `the store is ${engine.state}; the doors keep acking into the journal`,
      'see the log for the reason; check disk and memory',
    );
  }
  if (engine.restarts === 0) return ok('engine', 'runs, never restarted');
  const mend = 'see the log for the reason; if memory ran out, raise HELIOGRAPH_ENGINE_MEMORY_MIB';
  return warn('engine', `runs, but was restarted ${engine.restarts} times`, mend);
}

function checkBacklog({ journal }: Status, maxBacklogGiB: number, nowMs: number): Check {
  const finding = `${journal.segments} segments, ${(journal.bytes / GIB).toFixed(2)} of ${maxBacklogGiB} GiB wait for the store`;
  const ageMs = journal.oldestMs === null ? 0 : nowMs - journal.oldestMs;
  const isFull = journal.bytes > (maxBacklogGiB * GIB) / 2;
  if (!isFull && ageMs < OLD_SEGMENT_MS) return ok('journal', finding);
  const age = ageMs < OLD_SEGMENT_MS ? '' : `, the oldest for ${durationText(ageMs)}`;
  return warn('journal', finding + age, 'the store is behind: see the engine check and the log');
}

function checkArrivals({ doors, foreignSpans, selfService }: Status, nowMs: number): Check {
  const name = 'arrivals';
  const { url, received } = doors.otlpHttp;
  const mend = `set OTEL_EXPORTER_OTLP_ENDPOINT=${url} and OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf in a service and restart it`;
  if (foreignSpans === null) return warn(name, 'the store does not say what has arrived', 'see the engine check');
  if (received.lastAtMs === null) return warn(name, 'nothing has arrived at the OTLP door since it opened', mend);
  const last = `the last body came ${durationText(nowMs - received.lastAtMs)} ago`;
  if (foreignSpans === 0)
    return warn(name, `no service but ${selfService} itself has sent a span in the last hour; ${last}`, mend);
  if (nowMs - received.lastAtMs > QUIET_MS)
    return warn(name, last, 'see whether the services run and still point here');
  return ok(name, `${foreignSpans} spans of services in the last hour; ${last}`);
}

function checkRefusals({ doors }: Status, nowMs: number): Check[] {
  const { refused } = doors.otlpHttp;
  const counted = refused.filter(({ count }) => count > 0);
  if (counted.length === 0) return [ok('refusals', 'the OTLP door has turned nothing away')];
  return counted.map((refusal) => refusalCheck(refusal, doors, nowMs));
}

function refusalCheck({ reason, count, lastAtMs, hint }: RefusalCount, doors: Status['doors'], nowMs: number): Check {
  const ageMs = nowMs - lastAtMs;
  const finding = `${count} ${count === 1 ? 'request' : 'requests'} turned away, the last ${durationText(ageMs)} ago`;
  const mend = MENDS[reason]?.(doors.otlpHttp.url, doors.otlpGrpc.url);
  const isFailure = mend !== undefined && !MILD.has(reason) && ageMs < OLD_REFUSAL_MS;
  return { name: `refused: ${reason}`, state: isFailure ? 'fail' : 'warn', finding, mend: mend ?? hint };
}

/** `3 s`, `12 min`, `5 h`, `2 d`. */
function durationText(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ];
  const [size, unit] = units.find(([each]) => ms >= each) ?? [1_000, 's'];
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`;
}
