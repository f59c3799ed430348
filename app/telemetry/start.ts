/**
 * Heliograph's own traces, sent through the OpenTelemetry SDK to its own door like anybody's. The doors, the journal and the
 * loader are never traced: a span about taking in spans would beget the next one.
 */
import { type SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

/** `service.name` of Heliograph's own spans. */
export const SELF_SERVICE = 'heliograph';

/**
 * Each export is a segment of its own on an idle machine. Three a minute were half of what the engine used at rest; one a minute, and
 * sooner where the page is much used and a batch is full.
 */
const EXPORT_INTERVAL_MS = 60_000;

export interface SelfTelemetry {
  tracer: Tracer;
  /** Sends what is buffered now. */
  flush(): Promise<void>;
  /** Sends what is still buffered, then stops. */
  stop(): Promise<void>;
}

export interface SelfTelemetryOptions {
  /** URL of our own `/v1/traces`. */
  url: string;
  token: string | undefined;
  /** Share of traces without a sampled parent that are kept, 0..1. */
  ratio: number;
  version: string;
  instanceId: string;
}

/**
 * Starts the SDK's tracing alone: `@opentelemetry/sdk-node` would bring every exporter. Nothing is
 * instrumented by patching: each span is begun by name, in the files beside this one.
 */
export function startSelfTelemetry(options: SelfTelemetryOptions): SelfTelemetry {
  const exporter = new OTLPTraceExporter({
    url: options.url,
    headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
  });
  const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_INTERVAL_MS });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': SELF_SERVICE,
      'service.version': options.version,
      'service.instance.id': options.instanceId,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.ratio) }),
    spanProcessors: [processor],
  });
  provider.register();
  return {
    tracer: trace.getTracer(SELF_SERVICE, options.version),
    flush: () => processor.forceFlush(),
    stop: () => provider.shutdown(),
  };
}

/** A tracer whose spans go nowhere, for `selfTelemetry.enabled: false`. */
export function noTelemetry(): SelfTelemetry {
  return { tracer: trace.getTracer(SELF_SERVICE), flush: async () => {}, stop: async () => {} };
}

/** Runs `fn` under a span of the given kind; an error marks the span and is thrown on. */
export function withSpan<T>(
  tracer: Tracer,
  name: string,
  kind: SpanKind,
  attributes: Record<string, string>,
  fn: () => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, { kind, attributes }, async (span) => {
    try {
      return await fn();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
      throw error;
    } finally {
      span.end();
    }
  });
}
