/** The registry of analyzers: one line per question. */
import { alerts } from './alerts/index.ts';
import { ci } from './ci/index.ts';
import { contributors } from './contributors/index.ts';
import { deploys } from './deploys/index.ts';
import { goroutineLeak } from './goroutine-leak/index.ts';
import { latency } from './latency/index.ts';
import { pipeline } from './pipeline/index.ts';
import { profiles } from './profiles/index.ts';
import { runtime } from './runtime/index.ts';
import { senders } from './senders/index.ts';
import { sources } from './sources/index.ts';
import { disk } from './disk/index.ts';
import { tables } from './tables/index.ts';
import { targets } from './targets/index.ts';
import type { Analyzer, View } from './types.ts';

export const ANALYZERS: readonly Analyzer[] = [
  latency, // the first a person asks
  alerts,
  deploys,
  targets,
  profiles,
  runtime,
  goroutineLeak,
  ci,
  contributors,
  pipeline,
  senders,
  tables,
  sources,
  disk,
];

/** Every view of every analyzer, in registry order. */
export const VIEWS: readonly View[] = ANALYZERS.flatMap((analyzer) => analyzer.views);

/** The view of that name, or undefined. */
export function findView(name: string): View | undefined {
  return VIEWS.find((view) => view.name === name);
}
