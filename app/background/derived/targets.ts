/** Gauges of the scraped targets, each the newest value the views know. What a target has not said for a while has no sample. */
import type { ScrapeTarget } from '../../config/items.ts';
import type { Family, Sample } from './exposition.ts';
import type { ReadRows } from './read.ts';

/** A gauge goes when its target has been silent for this long, or for three of its polls. As Prometheus' own look-back. */
const SILENT_SECONDS = 300;
/** The same of profiles, which come every ten minutes unless told otherwise. */
const SILENT_PROFILE_SECONDS = 1800;
const POLLS = 3;

const WINDOW = 'from = {from:DateTime}, to = {to:DateTime}';

const GOROUTINES = `
SELECT service, target, argMax(goroutines, time)
FROM boards.goroutines(${WINDOW}, step = 1)
GROUP BY service, target ORDER BY service, target`;

const LAST_GC = `
SELECT service, target, toUnixTimestamp64Milli(max(last_gc)) / 1000
FROM boards.runtime(${WINDOW}, step = 60)
WHERE last_gc IS NOT NULL
GROUP BY service, target ORDER BY service, target`;

const DURATIONS = `
SELECT service, target, kind, duration_last_ms / 1000
FROM boards.target_status(${WINDOW})
WHERE kind != 'expvar' AND outcome = 'ok'
ORDER BY service, target, kind`;

/** A reader of the families. Fails as the store fails. */
export function createTargetFamilies(
  read: ReadRows,
  targets: readonly Pick<ScrapeTarget, 'every' | 'cpuEvery'>[],
): (nowMs: number, signal: AbortSignal) => Promise<Family[]> {
  const silent = patience(
    SILENT_SECONDS,
    targets.map(({ every }) => every),
  );
  const silentProfile = patience(
    SILENT_PROFILE_SECONDS,
    targets.map(({ cpuEvery }) => cpuEvery),
  );
  return async (nowMs, signal) => {
    const to = Math.floor(nowMs / 1000) + 1;
    const window = { from: to - silent, to };
    const [goroutines, lastGc, durations] = await Promise.all([
      read(GOROUTINES, window, signal),
      read(LAST_GC, window, signal),
      read(DURATIONS, { from: to - silentProfile, to }, signal),
    ]);
    return [
      {
        name: 'go_goroutines',
        type: 'gauge',
        help: 'Goroutines of a target at its newest poll.',
        samples: goroutines.map(byTarget),
      },
      {
        name: 'goroutines_total',
        type: 'untyped',
        help: 'The same as go_goroutines.',
        samples: goroutines.map(byTarget),
      },
      {
        name: 'gc_last_time_seconds',
        type: 'gauge',
        help: 'When a target last finished a garbage collection, Unix time.',
        samples: lastGc.map(byTarget),
      },
      {
        name: 'profile_duration_seconds',
        type: 'gauge',
        help: 'How long the newest profile of a target took to collect.',
        samples: durations.map(([service, target, profile, value]) => ({
          labels: { service: String(service), target: String(target), profile: String(profile) },
          value: Number(value),
        })),
      },
    ];
  };
}

function patience(leastSeconds: number, intervalsMs: readonly number[]): number {
  return Math.max(leastSeconds, ...intervalsMs.map((ms) => Math.ceil((POLLS * ms) / 1000)));
}

function byTarget([service, target, value]: readonly unknown[]): Sample {
  return { labels: { service: String(service), target: String(target) }, value: Number(value) };
}
