/** The port by which pollers reach targets: one careful GET. The composition root hands in the real one. */
import type { PollOutcome } from './rows.ts';

/** A process that is polled. */
export interface Target {
  /** Unique. */
  name: string;
  service: string;
  /** What the paths are appended to. May carry a password: never to be logged. */
  url: string;
  /** Sent with every request. May be secret: never to be logged. */
  headers: Readonly<Record<string, string>>;
}

export interface TargetRequest {
  target: Target;
  /** Path below the target's URL, with its query. */
  path: string;
  /** Time that the target takes by itself before it answers, ms. */
  durationMs: number;
  /** The answer's size, as it is received and once more when it is unpacked. */
  maxBytes: number;
  /** Ends the request; the promise rejects with its reason. */
  signal: AbortSignal;
}

export interface TargetAnswer {
  outcome: Exclude<PollOutcome, 'internal'>;
  /** '' for ok; holds nothing that was sent or received but statuses and host names. */
  reason: string;
  /** Empty but for ok. */
  body: Uint8Array;
  /** Beginning of the text of an answer that was refused, to tell known reasons by; never to be stored or logged. */
  complaint: string;
  /** As received. */
  bytes: number;
  durationMs: number;
}

/** Rejects only when the signal fires. */
export type TargetFetch = (request: TargetRequest) => Promise<TargetAnswer>;
