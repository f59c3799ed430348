/** The slow lane: bodies with nested values, and JSON, are rewritten in a worker thread while their door waits. */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, HeliographError, type Violation } from '../../core/errors.ts';
import type { BodyFormat, Log } from '../../core/ports.ts';

/** To the worker. `bytes` is transferred, not copied. */
export interface RewriteJob {
  id: number;
  signal: string;
  format: BodyFormat;
  bytes: Uint8Array<ArrayBuffer>;
}

/** From the worker. */
export type RewriteResult =
  | { id: number; bytes: Uint8Array<ArrayBuffer> }
  | { id: number; error: { code: ErrorCode; message: string; violation?: Violation | undefined } };

export interface SlowLane {
  /** Throws what the rewriting threw (`bad_framing`, `bad_request`, `body_too_large`), `too_busy` at the bound, `internal` when the worker died. */
  rewrite(signal: string, format: BodyFormat, bytes: Uint8Array): Promise<Uint8Array>;
  waiting(): number;
  stop(): Promise<void>;
}

interface Waiting {
  resolve(bytes: Uint8Array): void;
  reject(error: Error): void;
}

/** One worker keeps up with some tens of MB/s; more than this many bodies waiting means the sender should slow down. */
const WAITING_MAX = 64;

/** `workerPath` is a built module that answers RewriteJob with RewriteResult. A worker that dies is replaced on the next body. */
export function createSlowLane(workerPath: string, log: Log): SlowLane {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let lastId = 0;

  const settle = (result: RewriteResult): void => {
    const entry = waiting.get(result.id);
    waiting.delete(result.id);
    if ('bytes' in result) entry?.resolve(result.bytes);
    else {
      const { code, message, violation } = result.error;
      entry?.reject(new HeliographError(code, message, { violation }));
    }
  };
  const lost = (reason: string): void => {
    if (worker === undefined) return;
    worker = undefined;
    log.error({ reason }, 'slow lane worker lost');
    for (const entry of waiting.values()) entry.reject(new HeliographError('internal', 'the slow lane failed'));
    waiting.clear();
  };
  const start = (): Worker => {
    const started = new Worker(workerPath, { name: 'slow-lane', resourceLimits: { maxOldGenerationSizeMb: 256 } });
    started.on('message', settle);
    started.on('error', (error) => lost(error.message));
    started.on('exit', (code) => lost(`exit ${code}`));
    started.unref();
    return started;
  };

  return {
    rewrite(signal, format, bytes) {
      if (waiting.size >= WAITING_MAX)
        return Promise.reject(new HeliographError('too_busy', undefined, { retryAfterSeconds: 1 }));
      worker ??= start();
      lastId += 1;
      const job: RewriteJob = { id: lastId, signal, format, bytes: Uint8Array.from(bytes) };
      const answer = new Promise<Uint8Array>((resolve, reject) => waiting.set(job.id, { resolve, reject }));
      worker.postMessage(job, [job.bytes.buffer]);
      return answer;
    },
    waiting: () => waiting.size,
    async stop() {
      const stopping = worker;
      worker = undefined;
      await stopping?.terminate();
    },
  };
}
