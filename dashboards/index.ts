/** The registry of boards: one line per board. */
import { ciAndDeploys } from './boards/ci/board.ts';
import { contributorHealth } from './boards/contributors.ts';
import { flameGraph } from './boards/flame-graph.ts';
import { overview } from './boards/overview.ts';
import { goRuntime } from './boards/runtime/board.ts';
import { pipeline } from './boards/pipeline/board.ts';
import { serviceLatency } from './boards/service-latency.ts';
import type { Board } from './shared/model.ts';

/** Every board. Builders, so that importing this file costs nothing; the switcher shows Overview, then the others by title. */
export const BOARDS: readonly (() => Board)[] = [
  overview,
  serviceLatency,
  goRuntime,
  flameGraph,
  contributorHealth,
  ciAndDeploys,
  pipeline,
];
