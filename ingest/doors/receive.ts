/** What every OTLP door does with a plain body: walk it, append it, count it. The body never becomes objects here. */
import { HeliographError } from '../../core/errors.ts';
import type { BodyFormat, BodyWalk, Journal, OtlpCollector, Sender } from '../../core/ports.ts';
import type { DoorLedger, OtlpDoor } from './ledger.ts';

/** Rewrites a body to flat protobuf, off this thread. Throws `body_too_large`, `bad_framing`, `bad_request`, `too_busy`. */
export type Rewrite = (signal: string, format: BodyFormat, bytes: Uint8Array) => Promise<Uint8Array>;

export interface ReceiverDeps {
  /** Whose bodies these are, in the ledger. */
  door: OtlpDoor;
  rewrite: Rewrite;
  journal: Journal;
  ledger: DoorLedger;
  /** Told of every body with rejected spans, after its ack; never awaited. */
  keepRejected(signal: string, bytes: Uint8Array, rejected: Readonly<Record<string, number>>): void;
}

/** Decompressed bytes as they came in. */
export interface ReceivedBody {
  bytes: Uint8Array;
  format: BodyFormat;
  sender: Sender;
}

/** What a positive answer says. */
export interface Receipt {
  rejectedSpans: number;
  /** Counts, reasons and the mend; '' where nothing was rejected. */
  message: string;
}

/** Resolves when the body is durable. Throws `bad_framing`, what `rewrite` throws and what the journal throws. */
export type Receive = (collector: OtlpCollector, body: ReceivedBody) => Promise<Receipt>;

export function createReceiver(deps: ReceiverDeps): Receive {
  return async (collector, { bytes: received, format, sender }) => {
    const lane = deps.journal.lane(collector.signal, 'protobuf', sender.team);
    let bytes = received;
    let slowLane = format !== 'protobuf';
    let walk = slowLane ? undefined : framed(collector.walk(bytes, lane.bounds()));
    if (walk === undefined || walk.needsRewrite) {
      slowLane = true;
      bytes = await deps.rewrite(collector.signal, format, bytes);
      walk = framed(collector.walk(bytes, lane.bounds()));
      // The engine would read such values wrong, and say nothing.
      if (walk.needsRewrite)
        throw new HeliographError('internal', 'the slow lane left values that the engine cannot read');
    }
    // From here to append() nothing may await: the bounds walked by are those of the segment that the body lands in.
    const accepted = walk.spans - walk.rejectedTotal;
    const durable =
      accepted > 0 ? lane.append({ bytes, items: accepted, engineBytes: bytes.length + walk.copiedBytes }) : undefined;
    const duplicate = (await durable)?.duplicate ?? false;
    deps.ledger.accepted({
      door: deps.door,
      bytes: received.length,
      spans: accepted,
      clockSkew: walk.clockSkew,
      slowLane,
      duplicate,
      format,
      sender,
      signal: collector.signal,
      rejected: walk.rejected,
    });
    if (walk.rejectedTotal === 0) return { rejectedSpans: 0, message: '' };
    if (!duplicate) deps.keepRejected(collector.signal, bytes, walk.rejected);
    return { rejectedSpans: walk.rejectedTotal, message: collector.rejectMessage(walk.rejected) };
  };
}

type WellFramed = Extract<BodyWalk, { ok: true }>;

function framed(walk: BodyWalk): WellFramed {
  if (walk.ok) return walk;
  const rule = `${walk.rule} (at byte ${walk.offset})`;
  throw new HeliographError('bad_framing', `broken protobuf at byte ${walk.offset}: ${walk.rule}`, {
    violation: { field: 'body', rule },
  });
}
