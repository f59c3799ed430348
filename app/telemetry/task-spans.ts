/** A scheduled run as a span, written after the fact from what the scheduler measured. */
import { SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api';
import type { TaskRun } from '../scheduler/task.ts';

export function recordTaskRun(tracer: Tracer, run: TaskRun): void {
  const span = tracer.startSpan(`job ${run.id}`, {
    kind: SpanKind.INTERNAL,
    startTime: run.startedMs,
    root: true,
    attributes: {
      'heliograph.job.id': run.id,
      'heliograph.job.outcome': run.outcome,
      'heliograph.job.lag_ms': run.lagMs,
    },
  });
  if (run.outcome !== 'ok') span.setStatus({ code: SpanStatusCode.ERROR, message: run.outcome });
  span.end(run.endedMs);
}
