/** What the first start tells a person: where the page is, and what to set in a service. */

export interface BannerFacts {
  pageUrl: string;
  otlpUrl: string;
  otlpGrpcUrl: string;
  /** The token itself is never printed. */
  hasToken: boolean;
  dataDir: string;
  engine: 'embedded' | 'server';
}

/** The text, with a line end. It fits a terminal of 100 columns as far as paths and addresses do. */
export function bannerText({ pageUrl, otlpUrl, otlpGrpcUrl, hasToken, dataDir, engine }: BannerFacts): string {
  const headers = hasToken
    ? ['  OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<the token of HELIOGRAPH_TOKEN>']
    : [];
  const signIn = hasToken ? ['         sign in with any name and the token as password'] : [];
  const store = engine === 'embedded' ? 'embedded engine' : 'your ClickHouse server';
  const lines = [
    '',
    `  Page   ${pageUrl}`,
    ...signIn,
    `  Data   ${dataDir} (${store})`,
    '',
    '  To see a service here, set in its environment and restart it:',
    '',
    '  OTEL_SERVICE_NAME=<name of the service>',
    `  OTEL_EXPORTER_OTLP_ENDPOINT=${otlpUrl}`,
    '  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    ...headers,
    '',
    `  gRPC   ${otlpGrpcUrl} with OTEL_EXPORTER_OTLP_PROTOCOL=grpc does as well`,
    '',
    '  Go     otlptracehttp.New(ctx) of go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp reads them',
    '  Node   node --require @opentelemetry/auto-instrumentations-node/register app.js reads them',
    '',
    '  Nothing arrives? Run: heliograph doctor',
    '',
  ];
  return `${lines.join('\n')}\n`;
}
