/**
 * The two npm packages that can profile this process. `pprof` is built when it is installed and may be missing; `@datadog/pprof`
 * brings its binaries along. Each is a native addon of some ten MiB, so neither is loaded before a profile is asked for.
 */
import { createRequire } from 'node:module';

/** What both can do, told the same way. A profile is opaque until it is encoded. */
export interface ProfilerPackage {
  name: string;
  /** Starts sampling the main thread on the wall clock; the result ends it and hands out the profile. */
  startWall(intervalMicros: number): () => unknown;
  startHeap(intervalBytes: number, stackDepth: number): void;
  /** What was sampled since `startHeap` and is still alive. */
  heap(): unknown;
  /** Gzipped profile.proto. */
  encode(profile: unknown): Promise<Buffer>;
}

interface HeapCalls {
  start(intervalBytes: number, stackDepth: number): void;
  profile(): unknown;
}

interface GooglePprof {
  time: {
    start(intervalMicros: number, name: undefined, sourceMapper: undefined, lineNumbers: boolean): () => unknown;
  };
  heap: HeapCalls;
  encode(profile: unknown): Promise<Buffer>;
}

interface DatadogPprof {
  time: { start(options: { intervalMicros: number; lineNumbers: boolean }): void; stop(): unknown };
  heap: HeapCalls;
  encode(profile: unknown): Promise<Buffer>;
}

type Adapter = (loaded: unknown) => Omit<ProfilerPackage, 'name'>;

/** In the order in which they are tried. */
export const PROFILER_PACKAGES: Readonly<Record<string, Adapter>> = {
  pprof(loaded) {
    const { time, heap, encode } = loaded as GooglePprof;
    return { startWall: (interval) => time.start(interval, undefined, undefined, true), ...heapOf(heap), encode };
  },
  '@datadog/pprof'(loaded) {
    const { time, heap, encode } = loaded as DatadogPprof;
    return {
      startWall(intervalMicros) {
        time.start({ intervalMicros, lineNumbers: true });
        return () => time.stop();
      },
      ...heapOf(heap),
      encode,
    };
  },
};

function heapOf(heap: HeapCalls): Pick<ProfilerPackage, 'startHeap' | 'heap'> {
  return {
    startHeap: (intervalBytes, stackDepth) => heap.start(intervalBytes, stackDepth),
    heap: () => heap.profile(),
  };
}

/** The first package that loads, or why none does. Synchronous, some 50 ms: once in the life of a process. */
export function loadProfiler(
  packages: Readonly<Record<string, Adapter>>,
): { loaded: ProfilerPackage } | { reasons: string[] } {
  const require = createRequire(import.meta.url);
  const reasons: string[] = [];
  for (const [name, adapt] of Object.entries(packages)) {
    try {
      return { loaded: { name, ...adapt(require(name)) } };
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message.split('\n', 1)[0]}`);
    }
  }
  return { reasons };
}
