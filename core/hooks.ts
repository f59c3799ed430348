/** What a door and a collector of pushed events say to each other; the composition root brings them together. */
import type { Reject } from './json-fields.ts';
import type { CiJobRow, CiRunRow, DeploymentRow } from './rows.ts';

/** A webhook delivery by its headers, and when it came. */
export interface HookDelivery {
  event: string;
  /** The sender's idempotency key: the same when it sends the delivery again. */
  id: string;
  receivedAtMs: number;
}

/** What the document of a delivery comes to. */
export type HookDecoded =
  | { kind: 'rows'; runs: readonly CiRunRow[]; jobs: readonly CiJobRow[] }
  | { kind: 'rejected'; reject: Reject };

/** A source of webhooks as its door sees it. */
export interface HookCollector {
  /** Label of its figures, last part of its path. */
  name: string;
  mediaTypes: readonly string[];
  /** Whether deliveries of this event are decoded; the others are acked and leave nothing. */
  reads(event: string): boolean;
  /** Events with a figure of their own in /metrics. */
  knownEvents: readonly string[];
  /** The JSON document of a raw body. Throws `FieldRejected`. */
  parseBody(mediaType: string, bytes: Uint8Array): unknown;
  /** Never throws. */
  decode(delivery: HookDelivery, document: unknown): HookDecoded;
  /** What may be kept of a rejected document: no people in it. */
  excerpt(document: unknown): unknown;
}

/** One item of a body that is not taken, by its place. */
export interface IndexedReject extends Reject {
  /** From 0, in the order of the body. */
  index: number;
}

/** A source of deploy events as its door sees it. */
export interface DeploymentCollector {
  mediaTypes: readonly string[];
  /** Never throws for an event; throws `FieldRejected` for a body that holds none. */
  decode(
    mediaType: string,
    bytes: Uint8Array,
    receivedAtMs: number,
  ): { rows: readonly DeploymentRow[]; rejects: readonly IndexedReject[] };
}
