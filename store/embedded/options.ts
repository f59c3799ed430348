/** What the supervisor tells the engine's process, as one JSON argument. */
export interface ChildOptions {
  /** Data of the engine. */
  engineDir: string;
  /** Private directory for configuration, pipes, spooled bodies and the engine's temporary files; emptied at each start. */
  runDir: string;
  socketPath: string;
  /** Cap on what the engine allocates; a query that would exceed it fails with code 241. */
  memoryBytes: number;
  /** Threads of one query, and of merges. */
  threads: number;
  /** Statements that run at once; more wait their turn. */
  slots: number;
  /** How long SIGTERM waits for running statements. */
  drainMs: number;
}

/** Messages of the engine's process over the IPC channel. */
export interface ChildMessage {
  kind: 'listening';
}
