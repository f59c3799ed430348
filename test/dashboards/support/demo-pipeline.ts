/** What the doors of a busy Heliograph counted: minutes of two hours, and every tenth of thirty days. */
import type { DiskDropRow, PipelineMinuteRow } from '../../../core/rows.ts';
import { logBin } from '../../../core/log-bins.ts';
import { NOBODY, Flows } from '../../../ingest/pipeline/flow.ts';
import type { TestEngine } from '../../support/engine.ts';
import { loadRows } from '../../support/profile-rows.ts';
import { createRandom } from './demo-random.ts';

/** Team, key, form, bodies a minute, spans a body. */
const SENDERS: readonly (readonly [team: string, key: string, form: string, bodies: number, spans: number])[] = [
  ['shop', 'storefront-prod', 'grpc', 420, 512],
  ['shop', 'checkout-prod', 'http/protobuf', 260, 480],
  ['payments', 'payments-prod', 'http/protobuf', 90, 210],
  ['payments', 'payments-edge', 'http/json', 34, 24],
  ['data', 'nightly-report', 'http/protobuf', 3, 5],
  ['', '', 'http/protobuf', 12, 40],
];

const MINUTE_MS = 60_000;

/** Loads everything that ends at `nowMs`, and keeps the columns of spans apart, as the engine does where there are many. */
export async function loadDemoPipeline(engine: TestEngine, nowMs: number): Promise<void> {
  const random = createRandom(41);
  const rows: PipelineMinuteRow[] = [];
  const newest = Math.floor(nowMs / MINUTE_MS) - 1;
  for (let ago = 0; ago < 30 * 1440; ago += ago < 120 ? 1 : 10) {
    if (ago >= 34 && ago < 40) continue; // it did not run
    rows.push(...minuteRows(newest - ago, ago, random));
  }
  await loadRows(engine, 'pipeline_minutes', rows);
  await loadRows(engine, 'disk_drops', drops(nowMs));
  await engine.store.command({ sql: FOLDS });
  await engine.store.command({ sql: 'ALTER TABLE otel.otel_traces MODIFY SETTING min_bytes_for_wide_part = 0' });
  await engine.store.command({ sql: 'OPTIMIZE TABLE otel.otel_traces FINAL' });
}

/** A service that writes its search terms into its span names. */
const FOLDS = `
INSERT INTO heliograph.route_folds
SELECT today() - number % 2, 'data', 'nightly-report', min(now() - INTERVAL 20 MINUTE), uniqState(toString(number)), 48200, 2000
FROM numbers(9100)
GROUP BY number % 2`;

/** Two days that went because the disk was full. */
function drops(nowMs: number): DiskDropRow[] {
  return [13, 12].map((ago) => {
    const day = new Date(nowMs - ago * 86_400_000).toISOString().slice(0, 10);
    return {
      time_ms: nowMs - (ago + 4) * MINUTE_MS,
      kind: 'spans',
      table: 'otel.otel_traces',
      partition: day,
      first_day: day,
      last_day: day,
      rows: 41_000_000 + ago,
      bytes: Math.round(1.9 * 2 ** 30),
      used_bytes: Math.round(20.4 * 2 ** 30),
      cap_bytes: 20 * 2 ** 30,
    };
  });
}

function minuteRows(minute: number, ago: number, random: () => number): PipelineMinuteRow[] {
  const flows = new Flows();
  const hour = (minute / 60) % 24;
  const load = (0.7 + 0.3 * Math.sin(((hour - 8) / 24) * 2 * Math.PI)) * (0.9 + 0.2 * random());
  const behind = ago >= 12 && ago < 22 ? (22 - ago) / 10 : 0; // the store was slow for ten minutes
  for (const [team, key, form, bodies, spans] of SENDERS) {
    const flow = flows.of({ signal: 'otlp_traces', form, team, key });
    flow.acked_bodies = Math.round(bodies * load);
    flow.acked_spans = flow.acked_bodies * spans;
    flow.bytes = flow.acked_spans * 290;
    flow.slow_lane_bodies = form === 'http/json' ? flow.acked_bodies : Math.round(flow.acked_bodies * 0.012);
    flow.duplicate_bodies = Math.round((bodies / 300) * random() * (behind > 0 ? 9 : 1));
    flow.duplicate_spans = flow.duplicate_bodies * spans;
    if (key === 'payments-edge' && ago < 75) flow.rejected_spans['start_time_out_of_range'] = Math.round(60 * random());
    if (key === 'checkout-prod' && ago % 17 === 3) flow.rejected_spans['invalid_parent_span_id'] = 12;
    if (behind > 0.8 && bodies > 200) flow.refused_bodies['journal_full'] = Math.round(30 * random());
  }
  if (ago % 9 === 0)
    flows.of({ signal: '', form: 'http/protobuf', team: '', key: '' }).refused_bodies['wrong_path'] = 1;
  if (ago % 13 === 5) flows.of(NOBODY).refused_bodies['grpc_on_http_port'] = 2;
  const own = flows.of(NOBODY);
  const acked = flows.all().reduce((sum, flow) => sum + flow.acked_spans, 0);
  const loaded = Math.round(acked * (behind > 0.4 ? 0.6 : behind > 0 ? 1.3 : 1));
  const bins: Record<string, number> = {};
  for (let number = 0; number < 60; number += 1) {
    const bin = String(logBin((400 + 900 * random() ** 3 + behind * 14_000 * random()) * 1e6));
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const queue = {
    backlog_bytes_max: Math.round(3e6 + 12e6 * random() + behind * 1.4e9),
    backlog_bytes_last: Math.round(2e6 * random()),
    backlog_segments_max: Math.round(1 + 3 * random() + behind * 90),
    backlog_segments_last: 1,
    oldest_age_max_ms: Math.round(500 + 700 * random() + behind * 15_000),
    oldest_age_last_ms: 300,
    loaded_segments: 60,
    loaded_spans: loaded,
    loaded_bytes: loaded * 290,
    load_ms: Math.round(loaded / 190),
    quarantined_bodies: 0,
    freshness_bins: bins,
  };
  return flows
    .all()
    .map((flow) => ({ minute: minute * 60, instance: 'demo', ...flow, ...(flow === own ? queue : NO_QUEUE) }));
}

const NO_QUEUE = {
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
