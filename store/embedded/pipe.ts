/** A statement whose result comes out of a named pipe, whatever its format: in bounded memory, at the reader's pace. */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { ChdbResult } from 'chdb';
import { run } from './engine.ts';
import type { Slot } from './sessions.ts';
import type { StreamPlan } from './statement.ts';

export interface PipedResult {
  /** The bytes of the result. Ends after `done` has settled and everything was read. */
  output: Socket;
  done: Promise<ChdbResult>;
}

/** Starts the statement. `output` must be read to its end. */
export function startPiped(slot: Slot, plan: StreamPlan): PipedResult {
  const reader = openSync(slot.pipePath, constants.O_RDONLY | constants.O_NONBLOCK);
  // While this end is open the reader sees no end of file, whenever the engine opens and closes its own.
  const writer = openSync(slot.pipePath, constants.O_WRONLY | constants.O_NONBLOCK);
  const output = new Socket({ fd: reader, readable: true, writable: false });
  const done = run(slot.session, plan.sql(slot.pipePath), plan.format).finally(() => closeSync(writer));
  done.catch(() => undefined); // the reader asks for it after the last byte
  return { output, done };
}
