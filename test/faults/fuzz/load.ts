/** From sealed segments into the real engine by the product's own loader, and what the engine then holds. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../core/clock.ts';
import type { Store } from '../../../core/ports.ts';
import { quarantine } from '../../../ingest/journal/quarantine.ts';
import { readBodies } from '../../../ingest/journal/read-bodies.ts';
import type { SealedSegment } from '../../../ingest/journal/types.ts';
import { type LoadableBody, loadSegment } from '../../../ingest/loader/load-segment.ts';
import { quietLog } from '../../support/quiet-log.ts';

export interface Refused {
  bytes: Buffer;
  items: number;
  reason: string;
}

export interface Loaded {
  /** Spans that the loader says it stored. */
  items: number;
  quarantined: Refused[];
}

export async function loadAll(store: Store, dir: string, segments: readonly SealedSegment[]): Promise<Loaded> {
  const scratchDir = join(dir, 'scratch');
  mkdirSync(scratchDir, { recursive: true });
  const loaded: Loaded = { items: 0, quarantined: [] };
  for (const segment of segments) {
    const keep = async (
      { name, signal }: { name: string; signal: string },
      { offset, bytes, items }: LoadableBody,
      reason: string,
    ): Promise<void> => {
      const item = { name: `${name}.${offset}`, signal, segment: name, offset, bytes, reason };
      await quarantine(join(dir, 'quarantine'), item);
      loaded.quarantined.push({ bytes: Buffer.from(bytes), items, reason });
    };
    const report = await loadSegment(
      {
        store,
        readBodies: (of) => readBodies(of),
        quarantine: keep,
        scratchDir,
        clock: systemClock,
        log: quietLog,
      },
      segment,
      new AbortController().signal,
    );
    loaded.items += report.items;
  }
  return loaded;
}

export interface Held {
  spans: number;
  rollup: number;
  bins: number;
}

/** What the engine holds under a team. */
export async function heldBy(store: Store, team: string): Promise<Held> {
  const one = async (sql: string): Promise<number[]> =>
    ((await store.query({ sql, params: { team } })).rows[0] ?? []).map(Number);
  const [spans = 0] = await one('SELECT count() FROM otel.otel_traces WHERE Team = {team:String}');
  const [rollup = 0, bins = 0] = await one(
    'SELECT sum(count), sum(arraySum(mapValues(bins))) FROM heliograph.span_latency_1m WHERE team = {team:String}',
  );
  return { spans, rollup, bins };
}
