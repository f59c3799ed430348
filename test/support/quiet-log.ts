import type { Log } from '../../core/ports.ts';

/** A log that says nothing. */
export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quietLog };
