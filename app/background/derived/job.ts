/** The job behind the derived series of /metrics: it computes, a scrape only reads. */
import type { Task } from '../../scheduler/task.ts';
import type { BackgroundDeps } from '../deps.ts';
import { createDeveloperFamily } from './developers.ts';
import { expose } from './exposition.ts';
import { createReadRows } from './read.ts';
import { createRequestFamily } from './requests.ts';
import { createTargetFamilies } from './targets.ts';

const INTERVAL_MS = 15_000;
/** At most this share of the time is spent in the job: where a run is long, the next one waits, though no longer than this. */
const SHARE = 0.05;
const SCRAPED_INTERVAL_MS = 30_000;
/** How long after a scrape the next one is awaited. */
const AWAIT_SCRAPE_MS = 5 * 60_000;
/** While nobody scrapes the series are kept warm, so that the first scrape finds them. */
const IDLE_INTERVAL_MS = 120_000;

export type DerivedDeps = Pick<BackgroundDeps, 'config' | 'store' | 'publishDerived' | 'lastScrapedMs' | 'clock'>;

export function derivedJobs(deps: DerivedDeps): readonly Task[] {
  const { config, clock } = deps;
  const read = createReadRows(deps.store);
  const requests = createRequestFamily(read);
  const targets = createTargetFamilies(read, config.targets);
  const developers = config.people.developerSeries ? createDeveloperFamily(read) : undefined;
  let ranMs = Number.NEGATIVE_INFINITY;
  let tookMs = 0;

  function intervalMs(nowMs: number): number {
    const scrapedMs = deps.lastScrapedMs();
    if (scrapedMs === null || nowMs - scrapedMs >= AWAIT_SCRAPE_MS) return IDLE_INTERVAL_MS;
    return Math.min(Math.max(INTERVAL_MS, tookMs / SHARE), SCRAPED_INTERVAL_MS);
  }

  return [
    {
      id: 'derived-series',
      initialDelayMs: 0,
      intervalMs: INTERVAL_MS,
      timeoutMs: 60_000,
      overlap: 'skip',
      async run(signal) {
        const nowMs = clock.nowMs();
        const startedMs = clock.monotonicMs();
        if (nowMs - ranMs < intervalMs(nowMs) - INTERVAL_MS / 2) return; // ticks are not to the millisecond
        try {
          const families = [
            await requests(nowMs, signal),
            ...(await targets(nowMs, signal)),
            ...(developers === undefined ? [] : [await developers(nowMs, signal)]),
          ];
          deps.publishDerived(expose(families));
        } finally {
          ranMs = nowMs;
          tookMs = clock.monotonicMs() - startedMs;
        }
      },
    },
  ];
}
