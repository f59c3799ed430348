/**
 * The door's look at a body: framing, schema and the rules of a span, over the bytes as they lie. No object is built per
 * span, because building them costs ten times more than everything else the door does.
 */
import type { TimeBounds } from '../../core/ports.ts';
import { REJECT_REASONS, type RejectReason } from './rejects.ts';
import { TraceWalker } from './walker.ts';
import { FramingError } from './wire.ts';

export type Walk =
  | {
      ok: true;
      /** All spans of the body, rejected ones included. */
      spans: number;
      /** Spans that the engine's view will drop, each counted under the first rule it breaks. */
      rejected: Record<RejectReason, number>;
      rejectedTotal: number;
      /** Accepted spans that end before they start. */
      clockSkew: number;
      /** Bytes of resources and scopes once every span has its own copy, as the engine's rows do. */
      copiedBytes: number;
      /** The engine would read the body otherwise than protobuf and the Collector do: `flattenTraces` it first. */
      needsRewrite: boolean;
    }
  | { ok: false; offset: number; rule: string };

/**
 * Walks a serialized ExportTraceServiceRequest. Spans that break a rule stay where they are and are counted; broken
 * framing fails the body with the byte offset and the rule. `bounds` are inclusive Unix nanoseconds. Never throws on
 * any bytes; an empty body is a request with no spans.
 */
export function walkTraces(bytes: Uint8Array, bounds: TimeBounds): Walk {
  const walker = new TraceWalker(bytes, bounds);
  try {
    walker.request();
  } catch (error) {
    if (error instanceof FramingError) return { ok: false, offset: error.offset, rule: error.rule };
    throw error;
  }
  const rejected = {} as Record<RejectReason, number>;
  let rejectedTotal = 0;
  for (let i = 0; i < REJECT_REASONS.length; i++) {
    const count = walker.rejected[i] ?? 0;
    rejected[REJECT_REASONS[i] as RejectReason] = count;
    rejectedTotal += count;
  }
  const { spans, clockSkew, sharedCopied: copiedBytes, needsRewrite } = walker;
  return { ok: true, spans, rejected, rejectedTotal, clockSkew, copiedBytes, needsRewrite };
}
