/** The registry of background jobs: one line per source of work. What each does stands in the file it comes from. */
import type { Clock, Log, Store } from '../../core/ports.ts';
import type { RowSink } from '../../core/rows.ts';
import type { Config } from '../config/schema.ts';
import type { Task } from '../scheduler/task.ts';
import type { MarkCovered } from './coverage.ts';
import { effectiveCommitsTasks } from './effective-commits.ts';
import { gitTasks } from './git.ts';
import { createTargetJobs } from './targets.ts';

/** What background jobs work with. All of it lives on the background thread. */
export interface BackgroundDeps {
  config: Config;
  /** Our own page port, as it is reached from this machine. */
  pageUrl: string;
  store: Store;
  rows: RowSink;
  markCovered: MarkCovered;
  random: () => number;
  clock: Clock;
  log: Log;
}

const SOURCES: readonly ((deps: BackgroundDeps) => readonly Task[])[] = [
  gitTasks,
  effectiveCommitsTasks,
  createTargetJobs,
];

/** Every job of the background thread. */
export function createBackgroundJobs(deps: BackgroundDeps): Task[] {
  return SOURCES.flatMap((source) => source(deps));
}
