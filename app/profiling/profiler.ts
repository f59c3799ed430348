/** Profiles of Heliograph's own main thread: one wall-clock profile at a time, and a heap profile that samples once asked for. */
import { loadProfiler, PROFILER_PACKAGES, type ProfilerPackage } from './packages.ts';

export interface Profiler {
  /** Which package profiles, for `/readyz`: known once the first profile was asked for. */
  describe(): string;
  /**
   * Starts a wall-clock profile. The result ends it and gives the encoded profile, or, called with `discard`, nothing.
   * Throws an Error with Go's words while another one runs, or with the reasons where no package loads.
   */
  startWall(): (outcome: 'encode' | 'discard') => Promise<Buffer | undefined>;
  /** Whether allocations are being sampled. */
  isSamplingHeap(): boolean;
  /** Begins to sample allocations; nothing where that has begun. Throws as `startWall` does. */
  startHeap(): void;
  /** Encoded profile of what was allocated since `startHeap` and is still alive. */
  heap(): Promise<Buffer>;
}

/** 100 Hz, as Go: at the packages' default of 1000 Hz the samples alone cost some percent. */
const WALL_INTERVAL_MICROS = 10_000;
/** Of V8's own profiler, and Go's MemProfileRate. */
const HEAP_INTERVAL_BYTES = 512 * 1024;
const HEAP_STACK_DEPTH = 64;

/** `packages` are tried in order when the first profile is asked for, not before. */
export function createProfiler(packages = PROFILER_PACKAGES): Profiler {
  let outcome: ReturnType<typeof loadProfiler> | undefined;
  let isProfiling = false;
  let isSampling = false;

  function load(): ProfilerPackage {
    outcome ??= loadProfiler(packages);
    if ('loaded' in outcome) return outcome.loaded;
    throw new Error(`no profiler can be loaded (${outcome.reasons.join('; ')})`);
  }

  return {
    describe() {
      if (outcome === undefined) return `${Object.keys(packages).join(', else ')}; loaded with the first profile`;
      return 'loaded' in outcome ? outcome.loaded.name : `none: ${outcome.reasons.join('; ')}`;
    },
    startWall() {
      if (isProfiling) throw new Error('cpu profiling already in use');
      const { startWall, encode } = load();
      const stop = startWall(WALL_INTERVAL_MICROS);
      isProfiling = true;
      return async (end) => {
        isProfiling = false;
        const profile = stop();
        return end === 'encode' ? encode(profile) : undefined;
      };
    },
    isSamplingHeap: () => isSampling,
    startHeap() {
      if (isSampling) return;
      load().startHeap(HEAP_INTERVAL_BYTES, HEAP_STACK_DEPTH);
      isSampling = true;
    },
    async heap() {
      const { heap, encode } = load();
      return encode(heap());
    },
  };
}
