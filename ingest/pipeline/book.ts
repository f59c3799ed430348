/**
 * The pipeline's own history: counts of the current minute, and rows of those that are over, until they are durable. A body costs
 * two look-ups in a map.
 */
import { logBin } from '../../core/log-bins.ts';
import type { Clock } from '../../core/ports.ts';
import type { PipelineMinuteRow, RowSink } from '../../core/rows.ts';
import type { Acceptance, DoorObserver } from '../doors/ledger.ts';
import type { JournalDepth } from '../journal/types.ts';
import { createSenderNames, type Flow, Flows, formOf, NOBODY, type OpenFlow, type Origin } from './flow.ts';

/** A segment that is in the store. */
export interface LoadedSegment {
  signal: string;
  items: number;
  bytes: number;
  loadMs: number;
  quarantinedBodies: number;
  /** From its first ack until it can be queried. */
  freshnessMs: number;
}

export interface PipelineBook extends DoorObserver {
  /** What waits for the store now. A minute without a sample, a body or a load has no rows: the process may have slept. */
  sampled(depth: JournalDepth): void;
  loaded(segment: LoadedSegment): void;
  /** Counts since the start. */
  flows(): readonly Flow[];
  /**
   * Appends the rows of every minute that is over, the current one too with `last`; rows that could not be appended go with the next
   * write. One append, and none where there is nothing. Rejects as the sink does.
   */
  write(sink: RowSink, last?: boolean): Promise<void>;
}

type Queue = Pick<
  PipelineMinuteRow,
  | 'backlog_bytes_max'
  | 'backlog_bytes_last'
  | 'backlog_segments_max'
  | 'backlog_segments_last'
  | 'oldest_age_max_ms'
  | 'oldest_age_last_ms'
  | 'loaded_segments'
  | 'loaded_spans'
  | 'loaded_bytes'
  | 'load_ms'
  | 'quarantined_bodies'
> & { freshness_bins: Record<string, number> };

const NO_QUEUE: Queue = {
  backlog_bytes_max: null,
  backlog_bytes_last: null,
  backlog_segments_max: null,
  backlog_segments_last: null,
  oldest_age_max_ms: null,
  oldest_age_last_ms: null,
  loaded_segments: 0,
  loaded_spans: 0,
  loaded_bytes: 0,
  load_ms: 0,
  quarantined_bodies: 0,
  freshness_bins: {},
};

interface Minute {
  /** Unix seconds. */
  start: number;
  flows: Flows;
  queue: Queue;
}

/** Rows kept while the journal takes none, a few MiB; beyond it the oldest minutes become gaps. */
const WAITING_ROWS_MAX = 10_000;

/** `instance` names this process in its rows; `otlpSignals` are those whose items are spans. */
export function createPipelineBook(clock: Clock, instance: string, otlpSignals: readonly string[]): PipelineBook {
  const total = new Flows();
  const nameOf = createSenderNames();
  const waiting: PipelineMinuteRow[] = [];
  let current: Minute | undefined;

  const close = (): void => {
    if (current === undefined) return;
    waiting.push(...rowsOf(current, instance));
    waiting.splice(0, waiting.length - WAITING_ROWS_MAX);
    current = undefined;
  };
  const now = (): Minute => {
    const start = Math.floor(clock.nowMs() / 60_000) * 60;
    // a clock that steps back goes on in the minute it was in: a row is never written over
    if (current !== undefined && start > current.start) close();
    current ??= { start, flows: new Flows(), queue: { ...NO_QUEUE, freshness_bins: {} } };
    return current;
  };

  return {
    accepted(acceptance) {
      const { signal, door, format } = acceptance;
      const key = { signal, form: formOf(door, format), ...nameOf(acceptance.sender) };
      for (const flows of [total, now().flows]) addAccepted(flows.of(key), acceptance);
    },
    refused(reason, origin) {
      const key = origin === undefined ? NOBODY : keyOf(origin, nameOf);
      for (const flows of [total, now().flows]) add(flows.of(key).refused_bodies, reason, 1);
    },
    sampled({ bytes, segments, oldestMs }) {
      const { queue } = now();
      const ageMs = oldestMs === null ? 0 : Math.max(0, Math.round(clock.nowMs() - oldestMs));
      queue.backlog_bytes_last = bytes;
      queue.backlog_bytes_max = Math.max(bytes, queue.backlog_bytes_max ?? 0);
      queue.backlog_segments_last = segments;
      queue.backlog_segments_max = Math.max(segments, queue.backlog_segments_max ?? 0);
      queue.oldest_age_last_ms = ageMs;
      queue.oldest_age_max_ms = Math.max(ageMs, queue.oldest_age_max_ms ?? 0);
    },
    loaded({ signal, items, bytes, loadMs, quarantinedBodies, freshnessMs }) {
      const { queue } = now();
      queue.loaded_segments += 1;
      queue.loaded_bytes += bytes;
      queue.load_ms += Math.round(loadMs);
      queue.quarantined_bodies += quarantinedBodies;
      if (!otlpSignals.includes(signal)) return;
      queue.loaded_spans += items;
      add(queue.freshness_bins, String(logBin(freshnessMs * 1e6)), 1);
    },
    flows: () => total.all(),
    async write(sink, last = false) {
      if (last) close();
      else now();
      const rows = [...waiting];
      if (rows.length === 0) return;
      await sink.append('pipeline_minutes', rows);
      const written = new Set(rows);
      waiting.splice(0, waiting.length, ...waiting.filter((row) => !written.has(row)));
    },
  };
}

function keyOf({ signal, form, sender }: Origin, nameOf: ReturnType<typeof createSenderNames>) {
  return { signal, form, ...(sender === undefined ? { team: '', key: '' } : nameOf(sender)) };
}

function addAccepted(flow: OpenFlow, { bytes, spans, clockSkew, slowLane, duplicate, rejected }: Acceptance): void {
  flow.bytes += bytes;
  if (duplicate) {
    flow.duplicate_bodies += 1;
    flow.duplicate_spans += spans;
    return;
  }
  flow.acked_bodies += 1;
  flow.acked_spans += spans;
  flow.clock_skew_spans += clockSkew;
  if (slowLane) flow.slow_lane_bodies += 1;
  for (const reason in rejected) add(flow.rejected_spans, reason, rejected[reason] ?? 0);
}

/** A reason that counts nothing is none: the walk names all it knows. */
function add(counts: Record<string, number>, name: string, count: number): void {
  if (count === 0) return;
  counts[name] = (counts[name] ?? 0) + count;
}

/** The process's own row, which holds the queue, and one for each sender. */
function rowsOf({ start, flows, queue }: Minute, instance: string): PipelineMinuteRow[] {
  const own = flows.of(NOBODY);
  return flows.all().map((flow) => ({ minute: start, instance, ...flow, ...(flow === own ? queue : NO_QUEUE) }));
}
