/** What a sender is told: one JSON argument. */

/** In which form bodies travel. `gzip` is protobuf at level 1, made anew for each send, as ids are new. */
export const FORMS = ['protobuf', 'gzip', 'json', 'grpc'] as const;
export type Form = (typeof FORMS)[number];

export interface SenderPlan {
  /** `http://host:port`: of the HTTP door, or of the gRPC door for that form. */
  origin: string;
  form: Form;
  seconds: number;
  connections: number;
  spansPerBody: number;
  /** 0: as fast as bodies are acked. */
  spansPerSecond: number;
  /** A file that gets the first span id of every acked body, a line each, so that it can be told what was kept. Not for JSON. */
  ledger?: string;
}

/** What came of it. */
export interface Sent {
  bodies: number;
  spans: number;
  /** On the wire, as acked. */
  bytes: number;
  /** Answers other than 200. */
  refused: number;
  /** Sends without an answer. */
  failed: number;
  elapsedS: number;
  cpuS: number;
  ackP50Ms: number;
  ackP99Ms: number;
}
