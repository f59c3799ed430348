/** What the background thread and the main thread say to each other. */
import type { ErrorCode } from '../../core/errors.ts';
import type { RowSignal } from '../../core/rows.ts';
import type { RowBody } from '../../ingest/rows.ts';
import type { TaskRun, TaskStats } from '../scheduler/task.ts';
import type { LogLine } from '../workers/message-log.ts';

/** To the worker. */
export type BackgroundCommand =
  | { appended: { id: number; error?: { code: ErrorCode; message: string; retryAfterSeconds: number | undefined } } }
  /** Ends all jobs; answered by `stopped`. */
  | { stop: { deadlineMs: number } }
  /** Somebody reads /metrics; said once a minute at most. */
  | { scraped: true };

/** From the worker. */
export type BackgroundEvent =
  /** Bodies for the journal; their buffers are transferred. */
  | { append: { id: number; signal: RowSignal; bodies: RowBody[] } }
  /** The source was collected in this minute. */
  | { covered: string }
  /** A job has run; `jobs` are the figures of all. */
  | { run: TaskRun; jobs: TaskStats[] }
  /** Series for /metrics, in exposition format. */
  | { derived: string }
  | { log: LogLine }
  | { stopped: true };
