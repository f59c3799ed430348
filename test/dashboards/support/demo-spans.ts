/** Demo traffic as INSERT … SELECT statements: the same spans for the same `nowMs`, with no randomness of the engine's. */

/** Route, kind, share of the service's spans, median ms, share of errors. */
type RouteSpec = readonly [
  route: string,
  kind: 'Server' | 'Consumer' | 'Client',
  weight: number,
  medianMs: number,
  errors: number,
];

interface ServiceSpec {
  name: string;
  version: string;
  region: string;
  weight: number;
  routes: readonly RouteSpec[];
}

const SERVICES: readonly ServiceSpec[] = [
  {
    name: 'storefront',
    version: '2026.11.3',
    region: 'eu-west-1',
    weight: 10,
    routes: [
      ['GET /', 'Server', 5, 38, 0.001],
      ['GET /products/{id}', 'Server', 8, 61, 0.002],
      ['GET /search', 'Server', 3, 140, 0.006],
      ['POST /basket', 'Server', 2, 74, 0.004],
      ['GET /assets/{file}', 'Server', 6, 0.8, 0],
    ],
  },
  {
    name: 'checkout',
    version: '1.42.0',
    region: 'eu-west-1',
    weight: 5,
    routes: [
      ['POST /checkout', 'Server', 4, 310, 0.034],
      ['GET /checkout/{id}', 'Server', 3, 45, 0.002],
      ['POST /checkout/{id}/confirm', 'Server', 1, 780, 0.07],
    ],
  },
  {
    name: 'payments',
    version: '0.9.7-rc1',
    region: 'us-east-1',
    weight: 3,
    routes: [
      ['payments.v1.Payments/Authorize', 'Server', 3, 220, 0.018],
      ['payments.v1.Payments/Capture', 'Server', 2, 180, 0.009],
    ],
  },
  {
    name: 'mailer',
    version: '',
    region: 'ap-southeast-2',
    weight: 1,
    routes: [['orders process', 'Consumer', 1, 2100, 0.012]],
  },
  { name: 'nightly-report', version: '3', region: '', weight: 1, routes: [['export', 'Client', 1, 900, 0]] },
];

/** 26 weeks, as far back as the commits of demo-team.ts go. */
const COVERED_MINUTES = 26 * 7 * 24 * 60;

const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/**
 * Statements that fill `otel.otel_traces`, and by its views the rollup: `spans` over the last two hours, with no traffic from
 * 40 to 34 minutes ago, and as many again thinly over the thirty days before.
 */
export function demoStatements(nowMs: number, spans: number): string[] {
  const recent = `${Math.floor(nowMs)} - 7200000 + number * ${7_190_000 / spans}`;
  const older = `${Math.floor(nowMs)} - 2592000000 + number * ${2_580_000_000 / spans}`;
  const gap = `NOT (at_ms BETWEEN ${nowMs - 2_400_000} AND ${nowMs - 2_040_000})`;
  const minutes = `INSERT INTO heliograph.source_minutes (source, team, minute)
    SELECT source, '', toStartOfMinute(toDateTime(intDiv(${Math.floor(nowMs)}, 1000))) - number * 60
    FROM numbers(${COVERED_MINUTES}) ARRAY JOIN ['otlp_traces', 'targets', 'git', 'github', 'deployments'] AS source
    WHERE source != 'otlp_traces' OR number NOT BETWEEN 34 AND 40`;
  return [insert(recent, spans, gap), insert(older, spans, '1'), minutes];
}

function insert(atMs: string, spans: number, where: string): string {
  const picks = SERVICES.flatMap((service) =>
    service.routes.flatMap((route) =>
      new Array<[ServiceSpec, RouteSpec]>(Math.round(route[2] * service.weight)).fill([service, route]),
    ),
  );
  const tuples = picks.map(
    ([service, [route, kind, , medianMs, errors]]) =>
      `(${quote(service.name)}, ${quote(service.version)}, ${quote(service.region)}, ${quote(route)}, '${kind}', ${medianMs}, ${errors})`,
  );
  // Box-Muller over two hashes: log-normal durations with a slow second mode for one span in forty.
  return `INSERT INTO otel.otel_traces
    (Timestamp, TraceId, SpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, SpanAttributes, Duration, StatusCode, StatusMessage)
    WITH
      [${tuples.join(', ')}] AS picks,
      (cityHash64(number, 1) % 1000003 + 1) / 1000004 AS u1,
      (cityHash64(number, 2) % 1000003 + 1) / 1000004 AS u2,
      (cityHash64(number, 3) % 1000003 + 1) / 1000004 AS u3,
      picks[1 + cityHash64(number, 4) % ${picks.length}] AS pick,
      pick.6 * exp(0.45 * sqrt(-2 * log(u1)) * cos(2 * pi() * u2)) * if(cityHash64(number, 5) % 40 = 0, 6, 1) AS duration_ms,
      u3 < pick.7 AS failed,
      toInt64(${atMs}) AS at_ms
    SELECT
      fromUnixTimestamp64Milli(at_ms), lower(hex(MD5(toString(number)))), lower(hex(cityHash64(number, 6))), pick.4, pick.5, pick.1,
      if(pick.2 = '', map('cloud.region', pick.3), map('service.version', pick.2, 'cloud.region', pick.3)),
      map('http.route', pick.4), toUInt64(duration_ms * 1e6), if(failed, 'Error', 'Unset'), if(failed, 'upstream timed out', '')
    FROM numbers(${spans}) WHERE ${where}`;
}
