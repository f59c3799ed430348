/** Rows from the background thread: encoded there, made durable by the main thread, which holds the journal. */
import { HeliographError } from '../../core/errors.ts';
import type { RowSink } from '../../core/rows.ts';
import { encodeRows } from '../../ingest/rows.ts';
import type { BackgroundCommand, BackgroundEvent } from './protocol.ts';

export interface RemoteSink extends RowSink {
  /** Hands in the main thread's answer to an append. */
  answered(answer: Extract<BackgroundCommand, { appended: object }>['appended']): void;
}

/** `post` sends to the main thread; buffers in `transfer` are moved, not copied. */
export function createRemoteSink(post: (event: BackgroundEvent, transfer: ArrayBuffer[]) => void): RemoteSink {
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  let sequence = 0;
  return {
    append(signal, rows) {
      const bodies = encodeRows(rows);
      if (bodies.length === 0) return Promise.resolve();
      const id = ++sequence;
      return new Promise<void>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        post(
          { append: { id, signal, bodies } },
          bodies.map(({ bytes }) => bytes.buffer),
        );
      });
    },
    answered({ id, error }) {
      const caller = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) return caller?.resolve();
      const { code, message, retryAfterSeconds } = error;
      caller?.reject(new HeliographError(code, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds }));
    },
  };
}
