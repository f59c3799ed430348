// Sends spans of a bimodal load through @opentelemetry/sdk-node, configured by OTEL_* alone (its protocol picks the exporter),
// and prints the duration of each span in nanoseconds, one a line.
import { SpanKind, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const SPANS = 5000;
const EXPORTERS = {
  grpc: '@opentelemetry/exporter-trace-otlp-grpc',
  'http/json': '@opentelemetry/exporter-trace-otlp-http',
  'http/protobuf': '@opentelemetry/exporter-trace-otlp-proto',
};
const { OTLPTraceExporter } = await import(EXPORTERS[process.env.OTEL_EXPORTER_OTLP_PROTOCOL]);

let state = 11;
function random() {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
}

function normal() {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

const processor = new BatchSpanProcessor(new OTLPTraceExporter(), { maxQueueSize: SPANS, maxExportBatchSize: 512 });
const sdk = new NodeSDK({ spanProcessors: [processor], autoDetectResources: true, instrumentations: [] });
sdk.start();

const tracer = trace.getTracer('peer');
const startSeconds = Math.floor(Date.now() / 1000) - 2;
for (let i = 0; i < SPANS; i++) {
  const hit = random() < 0.9;
  const durationNs = Math.round((hit ? 2e6 : 3e8) * Math.exp(normal() * 0.3));
  const attributes = {
    'http.route': '/node/{id}',
    'http.response.status_code': 200,
    'cache.hit': hit,
    'sample.weight': 0.25,
  };
  const span = tracer.startSpan('GET', { kind: SpanKind.SERVER, startTime: [startSeconds, i], attributes });
  span.end([startSeconds + Math.floor((i + durationNs) / 1e9), (i + durationNs) % 1e9]);
  process.stdout.write(`${durationNs}\n`);
}
await processor.forceFlush();
await sdk.shutdown();
