/** Items of the settings that are lists, as the code sees them. */

export interface GitRepository {
  name?: string;
  /** Absolute. One of `path` and `url` is given. */
  path?: string;
  url?: string;
  branch?: string;
}

export interface ScrapeTarget {
  name: string;
  url: string;
  service?: string;
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds, as the two below. */
  every: number;
  cpuEvery: number;
  cpuDuration: number;
}

export interface Receiver {
  name: string;
  url: string;
  /** Absolute. */
  secretFile?: string;
}

/** Name of the target that is Heliograph itself. */
export const SELF_TARGET = 'heliograph';
