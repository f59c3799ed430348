/** The jobs of the alerts: one that evaluates, and one for each receiver, so that telling never holds up watching. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Book, openBook } from '../../alerts/book.ts';
import { createDelivery, type DeliverDeps, dropStrangers } from '../../alerts/deliver.ts';
import { createEvaluation } from '../../alerts/evaluate.ts';
import type { MachineOptions } from '../../alerts/machine.ts';
import { createRecorder } from '../../alerts/recorder.ts';
import { goroutineRule } from '../../alerts/rules/goroutines.ts';
import { latencyRule } from '../../alerts/rules/latency.ts';
import type { Rule } from '../../alerts/rules/rule.ts';
import type { Clock, Log, Store } from '../../core/ports.ts';
import type { RowSink } from '../../core/rows.ts';
import { ATTEMPT_TIMEOUT_MS, createPost } from '../alerts/post.ts';
import { createStateFile } from '../alerts/state-file.ts';
import type { Config } from '../config/schema.ts';
import type { Task } from '../scheduler/task.ts';
import { VERSION } from '../version.ts';

/** Of what background jobs work with, what the alerts need. */
export interface AlertDeps {
  config: Config;
  pageUrl: string;
  store: Pick<Store, 'query'>;
  rows: RowSink;
  random: () => number;
  clock: Clock;
  log: Log;
}

const EVALUATION_TIMEOUT_MS = 30_000;
const DELIVERY_EVERY_MS = 5_000;
const CLEAR_EVALUATIONS = 3;
const STALE_AFTER_MS = 6 * 3_600_000;
const MAX_OPEN_PER_RULE = 200;

/** Evaluation every `alerts.every`; deliveries every five seconds at most. */
export function alertJobs(deps: AlertDeps): readonly Task[] {
  const { config } = deps;
  const log = deps.log.child({ part: 'alerts' });
  const { every, receivers } = config.alerts;
  const opened = openOnce({ ...deps, log });
  const evaluation: Task = {
    id: 'alerts-evaluate',
    initialDelayMs: Math.min(every, 5_000),
    intervalMs: every,
    timeoutMs: EVALUATION_TIMEOUT_MS,
    overlap: 'skip',
    run: async (signal) => (await opened()).evaluate(signal),
  };
  const deliveries = receivers.map((receiver): Task => {
    let deliver: ((signal: AbortSignal) => Promise<void>) | undefined;
    return {
      id: `alerts-deliver-${receiver.name}`,
      initialDelayMs: 1_000,
      intervalMs: Math.min(every, DELIVERY_EVERY_MS),
      timeoutMs: 6 * ATTEMPT_TIMEOUT_MS,
      overlap: 'skip',
      run: async (signal) => {
        deliver ??= createDelivery(receiver, (await opened()).deliverDeps);
        await deliver(signal);
      },
    };
  });
  return [evaluation, ...deliveries];
}

interface Opened {
  evaluate(signal: AbortSignal): Promise<void>;
  deliverDeps: DeliverDeps;
}

/** Everything that hangs on the state file, opened by whichever job runs first; again where that failed. */
function openOnce(deps: AlertDeps): () => Promise<Opened> {
  let opening: Promise<Opened> | undefined;
  return () => {
    opening ??= openAll(deps).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
}

async function openAll({ config, pageUrl: ownUrl, store, rows, random, clock, log }: AlertDeps): Promise<Opened> {
  const { receivers } = config.alerts;
  const pageUrl = (config.alerts.pageUrl ?? ownUrl).replace(/\/+$/, '');
  const book: Book = await openBook(createStateFile(join(config.dataDir, 'alerts'), clock), log);
  const recorder = createRecorder(book, rows, log);
  const deliverDeps: DeliverDeps = {
    book,
    recorder,
    post: createPost(clock),
    readSecret: (path) => readFile(path),
    userAgent: `Heliograph/${VERSION}`,
    random,
    clock,
    log,
  };
  dropStrangers(
    receivers.map(({ name }) => name),
    deliverDeps,
  );
  const evaluate = createEvaluation({
    book,
    recorder,
    store,
    rules: rulesOf(config),
    options: machineOptionsOf(config),
    receivers: receivers.map(({ name }) => name),
    pageUrl,
    clock,
    log,
  });
  return { evaluate, deliverDeps };
}

function rulesOf({ alerts: { rules } }: Config): Rule[] {
  const { latency, goroutines } = rules;
  return [
    ...(latency.enabled
      ? [
          latencyRule({
            windowMs: latency.window,
            baselineMs: latency.baseline,
            minIncreaseMs: latency.minIncreaseMs,
            minIncreaseRatio: latency.minIncreaseRatio,
            minCount: latency.minCount,
            forMs: latency.for,
          }),
        ]
      : []),
    ...(goroutines.enabled
      ? [
          goroutineRule({
            windowMs: goroutines.window,
            windows: goroutines.windows,
            minGrowth: goroutines.minGrowth,
            forMs: goroutines.for,
          }),
        ]
      : []),
  ];
}

function machineOptionsOf(config: Config): Omit<MachineOptions, 'times'> {
  return {
    clearEvaluations: CLEAR_EVALUATIONS,
    staleAfterMs: STALE_AFTER_MS,
    maxGapMs: 3 * config.alerts.every,
    maxOpenPerRule: MAX_OPEN_PER_RULE,
  };
}
