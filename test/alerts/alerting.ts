/** Alerting as the job composes it, with a rule that says what the test wants and a clock that stands still. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Book, openBook } from '../../alerts/book.ts';
import { createDelivery, dropStrangers } from '../../alerts/deliver.ts';
import { createEvaluation } from '../../alerts/evaluate.ts';
import type { LatencyEvidence } from '../../alerts/evidence.ts';
import { createRecorder } from '../../alerts/recorder.ts';
import type { Rule } from '../../alerts/rules/rule.ts';
import type { WebhookReceiver } from '../../alerts/webhook.ts';
import { createPost } from '../../app/alerts/post.ts';
import { createStateFile } from '../../app/alerts/state-file.ts';
import type { AlertDeliveryRow, AlertRow, RowSink } from '../../core/rows.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { memoryLog } from '../support/memory-log.ts';

export const PAGE = 'http://127.0.0.1:7070';

export function evidenceFor(route: string): LatencyEvidence {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    kind: 'latency',
    service: 'shop',
    route,
    before: { p99Ms: 100, n: 3000, from: at, to: at },
    after: { p99Ms: 600, n: 500, from: at, to: at },
    increaseMs: 500,
    increaseRatio: 5,
    relativeError: 0.01,
  };
}

/** A rule whose routes are in trouble while they are in `slow`; `down` makes its query fail. */
export interface ScriptedRule extends Rule {
  slow: Set<string>;
  down: boolean;
}

export function scriptedRule(...routes: string[]): ScriptedRule {
  const known = new Set(routes);
  const rule: ScriptedRule = {
    name: 'latency',
    forMs: 0,
    clearForMs: 0,
    slow: new Set(routes),
    down: false,
    async evaluate() {
      if (rule.down) throw new Error('the store does not answer');
      for (const route of rule.slow) known.add(route);
      return [...known].map((route) => ({
        labels: { service: 'shop', route },
        active: rule.slow.has(route),
        evidence: evidenceFor(route),
      }));
    },
    enrich: async (fired) =>
      new Map(
        fired.map(({ fingerprint }) => [
          fingerprint,
          { slowestTraces: [{ traceId: 'ab', durationMs: 1, time: PAGE }], suspectDeploy: null, notes: [] },
        ]),
      ),
  };
  return rule;
}

/** A sink that keeps rows, until it is told to refuse or to hang. */
export function keepingSink(): RowSink & {
  mode: 'keep' | 'refuse' | 'hang';
  alerts: AlertRow[];
  deliveries: AlertDeliveryRow[];
} {
  const sink: ReturnType<typeof keepingSink> = {
    mode: 'keep',
    alerts: [],
    deliveries: [],
    append(signal, rows) {
      if (sink.mode === 'hang') return new Promise(() => {});
      if (sink.mode === 'refuse') return Promise.reject(new Error('journal_full'));
      if (signal === 'alerts') sink.alerts.push(...(rows as readonly AlertRow[]));
      else sink.deliveries.push(...(rows as readonly AlertDeliveryRow[]));
      return Promise.resolve();
    },
  };
  return sink;
}

export interface Alerting {
  evaluate(signal?: AbortSignal): Promise<void>;
  deliver(receiver?: string, signal?: AbortSignal): Promise<void>;
  book: Book;
  log: ReturnType<typeof memoryLog>;
  rows: ReturnType<typeof keepingSink>;
}

/** Opens it on `dir`, as a start of the process does. */
export async function openAlerting(
  dir: string,
  clock: FakeClock,
  rule: Rule,
  receivers: readonly WebhookReceiver[],
): Promise<Alerting> {
  const log = memoryLog();
  const rows = keepingSink();
  const book = await openBook(createStateFile(join(dir, 'alerts'), clock), log);
  const recorder = createRecorder(book, rows, log);
  const deps = {
    book,
    recorder,
    post: createPost(clock),
    readSecret: (path: string) => readFile(path),
    userAgent: 'Heliograph/test',
    random: () => 1,
    clock,
    log,
  };
  dropStrangers(
    receivers.map(({ name }) => name),
    deps,
  );
  const runs = new Map(receivers.map((receiver) => [receiver.name, createDelivery(receiver, deps)]));
  const evaluate = createEvaluation({
    book,
    recorder,
    store: { query: () => Promise.reject(new Error('nothing is asked of the store here')) },
    rules: [rule],
    options: { clearEvaluations: 1, staleAfterMs: 3_600_000, maxGapMs: 90_000, maxOpenPerRule: 50 },
    receivers: receivers.map(({ name }) => name),
    pageUrl: PAGE,
    clock,
    log,
  });
  const never = new AbortController().signal;
  return {
    evaluate: (signal = never) => evaluate(signal),
    async deliver(receiver = 'team', signal = never) {
      await runs.get(receiver)?.(signal);
    },
    book,
    log,
    rows,
  };
}
