/** Polls the targets: one job per target and kind, so that what one of them does or fails to do costs the others nothing. */
import { pollVars } from '../../collectors/expvar/poll.ts';
import { pollProfile, type ProfileKind } from '../../collectors/pprof/poll.ts';
import type { Clock, Log } from '../../core/ports.ts';
import type { RowSink, TargetPollRow } from '../../core/rows.ts';
import type { Target, TargetFetch } from '../../core/target-fetch.ts';
import { type ScrapeTarget, SELF_TARGET } from '../config/items.ts';
import type { Config } from '../config/schema.ts';
import type { Task } from '../scheduler/task.ts';
import type { MarkCovered } from './coverage.ts';
import { createKnownStacks } from './known-stacks.ts';
import { createTargetFetch, longestMs } from './target-fetch.ts';
import { createTroubles } from './troubles.ts';

const SOURCE = 'targets';
/** Once a minute: what watching ourselves costs is part of what an idle Heliograph costs. */
const SELF_INTERVALS = { every: 60_000, cpuEvery: 600_000, cpuDuration: 10_000 };
/** What answered 404 is asked again after this long, should its interval be shorter. */
const NOT_MOUNTED_MS = 30 * 60_000;
const FIRST_POLL_MS = 1000;
/** Share of the interval over which polls are spread, the first ones too, lest all targets be asked at once. */
const JITTER = 0.1;
/** On top of the longest request: decoding, and the journal. */
const SLACK_MS = 30_000;

type Intervals = Pick<ScrapeTarget, 'every' | 'cpuEvery' | 'cpuDuration'>;
type Kind = ProfileKind | 'expvar';

/** What of the background's the jobs need. */
export interface TargetJobDeps {
  config: Config;
  pageUrl: string;
  rows: RowSink;
  markCovered: MarkCovered;
  random: () => number;
  clock: Clock;
  log: Log;
}

/** The jobs of all targets, Heliograph's own first. */
export function createTargetJobs(deps: TargetJobDeps): readonly Task[] {
  return targetJobs(deps, createTargetFetch(deps.clock));
}

/** The same with another way to fetch. */
export function targetJobs(deps: TargetJobDeps, fetch: TargetFetch): readonly Task[] {
  const nowMs = (): number => deps.clock.nowMs();
  const known = createKnownStacks(nowMs);
  const isKnown = known.isKnown;
  const note = createTroubles(deps.log);

  const settle = async (poll: TargetPollRow): Promise<void> => {
    note(poll);
    await deps.rows.append('target_polls', [poll]);
    if (poll.outcome === 'ok') deps.markCovered(SOURCE);
  };

  /** The poll's own row comes last: it says that the others are there. */
  const profile =
    (target: Target, kind: ProfileKind, durationMs: number): Poller =>
    async (signal) => {
      const { poll, samples, stacks } = await pollProfile({ fetch, isKnown, nowMs }, target, kind, durationMs, signal);
      await deps.rows.append('stacks', stacks);
      for (const { stack } of stacks) known.know(target.service, stack);
      await deps.rows.append('profile_samples', samples);
      await settle(poll);
      return poll;
    };

  const vars = (target: Target): Poller => {
    let cyclesBefore: number | null = null;
    let saidLeftOut = false;
    return async (signal) => {
      const { poll, runtime, leftOut } = await pollVars({ fetch, nowMs }, target, cyclesBefore, signal);
      if (runtime !== undefined) {
        await deps.rows.append('go_runtime', [runtime]);
        cyclesBefore = runtime.gc_cycles;
      }
      if (leftOut > 0 && !saidLeftOut) {
        saidLeftOut = true;
        deps.log.warn({ target: target.name, leftOut }, 'target publishes more variables than are kept');
      }
      await settle(poll);
      return poll;
    };
  };

  const job = (target: Target, kind: Kind, intervalMs: number, durationMs: number, run: Poller): Task => ({
    id: `poll-${kind}:${target.name}`,
    intervalMs,
    initialDelayMs: FIRST_POLL_MS + Math.floor(deps.random() * JITTER * intervalMs),
    jitterRatio: JITTER,
    timeoutMs: longestMs(durationMs) + SLACK_MS,
    overlap: 'skip',
    run: restingWhereNotMounted(run, nowMs),
  });

  return targetsOf(deps.config, deps.pageUrl).flatMap(({ target, every, cpuEvery, cpuDuration }) => [
    job(target, 'goroutine', every, 0, profile(target, 'goroutine', 0)),
    job(target, 'expvar', every, 0, vars(target)),
    job(target, 'cpu', cpuEvery, cpuDuration, profile(target, 'cpu', cpuDuration)),
    job(target, 'heap', cpuEvery, 0, profile(target, 'heap', 0)),
  ]);
}

type Poller = (signal: AbortSignal) => Promise<TargetPollRow>;

/** Skips the polls of a kind that a target does not have, but for one now and then. */
function restingWhereNotMounted(run: Poller, nowMs: () => number): Task['run'] {
  let restUntilMs = 0;
  return async (signal) => {
    if (nowMs() < restUntilMs) return;
    const { outcome, time_ms } = await run(signal);
    restUntilMs = outcome === 'not_mounted' ? time_ms + NOT_MOUNTED_MS : 0;
  };
}

function targetsOf({ targets, token }: Config, pageUrl: string): (Intervals & { target: Target })[] {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const self = { name: SELF_TARGET, service: SELF_TARGET, url: pageUrl, headers };
  return [
    { target: self, ...SELF_INTERVALS },
    ...targets.map(({ name, service = name, url, headers: sent = {}, ...intervals }) => ({
      target: { name, service, url, headers: sent },
      ...intervals,
    })),
  ];
}
