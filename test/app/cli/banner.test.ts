import { expect, test } from 'vitest';
import { bannerText } from '../../../app/cli/banner.ts';

const facts = {
  pageUrl: 'http://127.0.0.1:7070',
  otlpUrl: 'http://127.0.0.1:4318',
  otlpGrpcUrl: 'http://127.0.0.1:4317',
  dataDir: '/srv/.heliograph',
};

test('the banner of a first start', () => {
  expect(bannerText({ ...facts, hasToken: false, engine: 'embedded' })).toBe(`
  Page   http://127.0.0.1:7070
  Data   /srv/.heliograph (embedded engine)

  To see a service here, set in its environment and restart it:

  OTEL_SERVICE_NAME=<name of the service>
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318
  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf

  gRPC   http://127.0.0.1:4317 with OTEL_EXPORTER_OTLP_PROTOCOL=grpc does as well

  Go     otlptracehttp.New(ctx) of go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp reads them
  Node   node --require @opentelemetry/auto-instrumentations-node/register app.js reads them

  Nothing arrives? Run: heliograph doctor

`);
});

test('with a token it says where the token goes, and the server is named', () => {
  const text = bannerText({ ...facts, hasToken: true, engine: 'server' });
  expect(text).toContain('OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20<the token of HELIOGRAPH_TOKEN>');
  expect(text).toContain('sign in with any name and the token as password');
  expect(text).toContain('(your ClickHouse server)');
});
