/** The registry of boards: one line per board. */
import { overview } from './boards/overview.ts';
import { serviceLatency } from './boards/service-latency.ts';
import type { Board } from './shared/model.ts';

/** Every board, in the order the switcher shows them. Builders, so that importing this file costs nothing. */
export const BOARDS: readonly (() => Board)[] = [overview, serviceLatency];
