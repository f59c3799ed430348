/** The figures at the top of the Pipeline board. */
import { stat } from '../../kit/panels.ts';
import type { ViewQuery } from '../../kit/query.ts';
import { NOT_KNOWN_SHORT, NOTHING_CAME_SHORT, OF_NOW, ON_DISK_SHORT } from './texts.ts';

const FIGURE = { width: 3, height: 3 };

/** One figure of the whole range; no row where it is unknown. */
const whole = (column: string): ViewQuery => ({
  view: 'pipeline_over_time',
  step: 'whole',
  select: [column],
  where: [`${column} IS NOT NULL`],
});

export const acked = () =>
  stat({
    ...FIGURE,
    id: 1,
    title: 'Spans/s',
    unit: 'short',
    description:
      'Spans made durable and acked, per second of the minutes of this range of which anything is known. Bad: 0 on a busy system, or far from what is usual at this hour.',
    noValue: NOT_KNOWN_SHORT,
    query: whole('acked_rate'),
  });

export const rejectedShare = () =>
  stat({
    ...FIGURE,
    id: 2,
    title: 'Rejected',
    unit: 'percentunit',
    description:
      'Share of the spans received in this range that broke a rule and are not stored. Amber from 0.1 %, red from 1 %; the table below says which rule, and what mends it.',
    noValue: NOTHING_CAME_SHORT,
    thresholds: ['green', [0.001, 'orange'], [0.01, 'red']],
    query: whole('rejected_share'),
  });

export const duplicateShare = () =>
  stat({
    ...FIGURE,
    id: 3,
    title: 'Duplicates',
    unit: 'percentunit',
    description:
      'Share of the bodies received in this range that had been stored before: retries whose first answer was lost. They are acked and not stored again. Amber from 1 %: senders time out before they are answered.',
    noValue: NOTHING_CAME_SHORT,
    thresholds: ['text', [0.01, 'orange']],
    query: whole('duplicate_share'),
  });

export const freshnessNow = () =>
  stat({
    ...FIGURE,
    id: 4,
    title: 'Fresh, p99',
    unit: 'ms',
    description:
      'Of a hundred segments loaded in this range, ninety-nine could be queried sooner than this after their first ack. Amber from 2 s, red from 10 s: the store is behind.',
    noValue: 'No segment of spans was loaded in this range.',
    thresholds: ['green', [2_000, 'orange'], [10_000, 'red']],
    query: { view: 'pipeline_freshness', step: 'whole', select: ['p99_ms'] },
  });

export const backlog = () =>
  stat({
    ...FIGURE,
    id: 5,
    title: 'Backlog',
    unit: 'bytes',
    description:
      'Bodies acked but not yet in the store, at the end of the range. They are durable. Amber from 256 MiB, red from 4 GiB: the store does not keep up, and at the limit (journal.maxBacklogGiB) senders are told to wait.',
    noValue: 'Nothing is known of the ten minutes before the end of this range.',
    thresholds: ['green', [268_435_456, 'orange'], [4_294_967_296, 'red']],
    query: { view: 'pipeline_now', select: ['backlog_bytes'], where: ['backlog_bytes IS NOT NULL'] },
  });

export const slowLaneShare = () =>
  stat({
    ...FIGURE,
    id: 6,
    title: 'Slow lane',
    unit: 'percentunit',
    description:
      'Share of the bodies acked in this range that had to be rewritten: OTLP JSON, and protobuf with nested attribute values. They cost more CPU than all else. Amber from 10 %: send protobuf with flat attributes.',
    noValue: NOTHING_CAME_SHORT,
    thresholds: ['text', [0.1, 'orange']],
    query: whole('slow_lane_share'),
  });

export const disk = () =>
  stat({
    ...FIGURE,
    id: 7,
    title: 'On disk',
    unit: 'bytes',
    description:
      'What the tables of otel and heliograph take on disk now, indexes included; the journal and people are not in it. Bad: growing faster than what is sent.',
    noValue: ON_DISK_SHORT,
    query: { view: 'storage_tables', select: ['sum(bytes) AS on_disk'], where: [OF_NOW], having: 'count() > 0' },
  });

export const diskPerSpan = () =>
  stat({
    ...FIGURE,
    id: 8,
    title: 'Per span',
    unit: 'bytes',
    description:
      'What a stored span takes on disk now, with its indexes and the rollups made of it. Usual for HTTP spans is 50 B; bad: hundreds, which large or ever-changing attributes cost.',
    noValue: ON_DISK_SHORT,
    query: {
      view: 'storage_tables',
      select: ['sum(assumeNotNull(bytes_per_span)) AS bytes_each'],
      where: [OF_NOW, 'bytes_per_span IS NOT NULL'],
      having: 'count() > 0',
    },
  });
