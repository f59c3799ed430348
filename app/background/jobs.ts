/** The registry of background jobs: one line per source of work. What each does stands in the file it comes from. */
import type { Task } from '../scheduler/task.ts';
import { alertJobs } from './alerts.ts';
import type { BackgroundDeps } from './deps.ts';
import { derivedJobs } from './derived/job.ts';
import { effectiveCommitsTasks } from './effective-commits.ts';
import { gitTasks } from './git.ts';
import { createTargetJobs } from './targets.ts';

const SOURCES: readonly ((deps: BackgroundDeps) => readonly Task[])[] = [
  createTargetJobs,
  gitTasks,
  effectiveCommitsTasks,
  alertJobs,
  derivedJobs,
];

/** Every job of the background thread. */
export function createBackgroundJobs(deps: BackgroundDeps): Task[] {
  return SOURCES.flatMap((source) => source(deps));
}
