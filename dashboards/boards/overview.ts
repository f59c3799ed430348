import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard } from '../kit/board.ts';
import { stat, table, timeseries } from '../kit/panels.ts';
import { type ViewQuery, viewCall } from '../kit/query.ts';
import { ROW_TO_LATENCY, TO_PIPELINE } from './links.ts';
import type { Board } from '../shared/model.ts';
import { deployMarks, SERVICE_TITLE } from './deploy-marks.ts';
import { alertsFiring, latestDeploys, openAlerts, targetsDown } from './overview-now.ts';
import { HOW_PERCENTILES, NO_SERVER_SPANS, NO_SERVER_SPANS_SHORT } from './texts.ts';

/** Lines stay readable up to about ten; the table below lists every service. */
const BUSIEST = `service IN (SELECT service FROM ${viewCall('services')} ORDER BY count DESC, service LIMIT 10)`;

/** Overview: is any service slow, failing or silent? */
export function overview(): Board {
  return exportBoard(
    board({
      uid: 'heliograph-overview',
      title: 'Overview',
      description:
        'What alerts, and rate, errors and duration of every service that sends traces. Start here; a service leads to its routes.',
      tags: ['latency'],
      from: 'now-1h',
      refresh: '30s',
      annotations: [deployMarks(SERVICE_TITLE)],
      links: [TO_PIPELINE],
    })
      .withPanel(serviceCount())
      .withPanel(requestRate())
      .withPanel(errorRatio())
      .withPanel(slowestService())
      .withPanel(requests())
      .withPanel(newestSpan())
      .withRow(new RowBuilder('Alerts and deploys'))
      .withPanel(alertsFiring())
      .withPanel(targetsDown())
      .withPanel(openAlerts())
      .withPanel(latestDeploys())
      .withRow(new RowBuilder('Rate, errors, duration'))
      .withPanel(rateByService())
      .withPanel(errorsByService())
      .withPanel(p95ByService())
      .withRow(new RowBuilder('Services'))
      .withPanel(services()),
  );
}

const HEADLINE = { width: 4, height: 3 };
const THIRD = { width: 8, height: 9 };

function whole(select: string, rest: Partial<ViewQuery> = {}): ViewQuery {
  return { view: 'latency_by_service', step: 'whole', select: [select], having: 'count() > 0', ...rest };
}

const serviceCount = () =>
  stat({
    ...HEADLINE,
    id: 1,
    title: 'Services',
    unit: 'locale',
    description:
      'Services that started at least one span of any kind in this range. A drop means a service is down or no longer sends.',
    noValue: 'No spans in this range. Send traces to http://localhost:4318.',
    query: { view: 'services', select: ['count() AS services'], having: 'count() > 0' },
  });

const requestRate = () =>
  stat({
    ...HEADLINE,
    id: 2,
    title: 'Request rate',
    unit: 'reqps',
    description:
      'Server and Consumer spans per second over the whole range, all services together. Bad: far from what is usual at this hour.',
    noValue: NO_SERVER_SPANS_SHORT,
    query: whole('sum(rate) AS rate'),
  });

const errorRatio = () =>
  stat({
    ...HEADLINE,
    id: 3,
    title: 'Error ratio',
    unit: 'percentunit',
    description:
      'Share of Server and Consumer spans with status Error, all services together. Amber from 1 %, red from 5 %.',
    noValue: NO_SERVER_SPANS_SHORT,
    thresholds: ['green', [0.01, 'orange'], [0.05, 'red']],
    query: whole('sum(error_count) / sum(count) AS error_ratio'),
  });

const slowestService = () =>
  stat({
    ...HEADLINE,
    id: 4,
    title: 'Slowest service, p99',
    unit: 'ms',
    description: `The highest p99 of any service over the range, and whose it is. ${HOW_PERCENTILES}`,
    noValue: NO_SERVER_SPANS_SHORT,
    named: true,
    query: {
      view: 'latency_by_service',
      step: 'whole',
      select: ['service', 'p99_ms'],
      orderBy: ['p99_ms DESC', 'service'],
      limit: 1,
    },
  });

const requests = () =>
  stat({
    ...HEADLINE,
    id: 5,
    title: 'Requests',
    unit: 'short',
    description:
      'Server and Consumer spans in this range: what the figures on this board are computed from. Few requests make percentiles jumpy.',
    noValue: NO_SERVER_SPANS_SHORT,
    query: whole('sum(count) AS requests'),
  });

const newestSpan = () =>
  stat({
    ...HEADLINE,
    id: 6,
    title: 'Newest span',
    unit: 'dateTimeFromNow',
    description:
      'Start of the newest span stored. Older than a minute on a busy system: senders are failing or the store is behind; run heliograph doctor.',
    noValue: 'Nothing stored yet. Run heliograph doctor to see why nothing arrives.',
    query: {
      view: 'source_status',
      select: ['toUnixTimestamp64Milli(assumeNotNull(as_of)) AS newest_ms'],
      where: ["source = 'otlp_traces'", 'as_of IS NOT NULL'],
    },
  });

const perService = (value: string): ViewQuery => ({
  view: 'latency_by_service',
  step: 'interval',
  select: ['time', 'service', `${value} AS Value`],
  where: [BUSIEST],
  orderBy: ['time', 'service'],
});

const rateByService = () =>
  timeseries({
    ...THIRD,
    id: 7,
    title: 'Request rate by service',
    unit: 'reqps',
    description:
      'Server and Consumer spans per second, the ten busiest services of the range. Bad: a line that falls to nothing, or breaks off (a gap is no data, not zero).',
    noValue: NO_SERVER_SPANS,
    query: perService('rate'),
  });

const errorsByService = () =>
  timeseries({
    ...THIRD,
    id: 8,
    title: 'Error ratio by service',
    unit: 'percentunit',
    description:
      'Share of Server and Consumer spans with status Error, the ten busiest services of the range. Bad: above 1 %, or rising with a deploy.',
    noValue: NO_SERVER_SPANS,
    query: perService('error_ratio'),
  });

const p95ByService = () =>
  timeseries({
    ...THIRD,
    id: 9,
    title: 'p95 latency by service',
    unit: 'ms',
    description: `Nineteen of twenty requests were faster, the ten busiest services of the range. Bad: a step up that stays. ${HOW_PERCENTILES}`,
    noValue: NO_SERVER_SPANS,
    query: perService('p95_ms'),
  });

const services = () =>
  table({
    id: 10,
    width: 24,
    height: 9,
    title: 'Services',
    unit: 'none',
    description:
      'Every service that started a span in this range. A service with spans but no requests serves nobody itself: a client or a job. A name leads to its routes.',
    noValue:
      'No service has sent spans in this range. Set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 and OTEL_SERVICE_NAME, then send a request.',
    query: {
      view: 'services',
      select: [
        'service',
        'version',
        'region',
        'route_count',
        'count',
        'if(count = 0, NULL, error_count / count) AS error_ratio',
        'span_count',
        'first_seen',
        'last_seen',
      ],
      orderBy: ['count DESC', 'service'],
      limit: 500,
    },
    columns: {
      service: { title: 'Service', link: ROW_TO_LATENCY, width: 220 },
      version: { title: 'Version' },
      region: { title: 'Region' },
      route_count: { title: 'Routes', unit: 'locale' },
      count: { title: 'Requests', unit: 'locale' },
      error_ratio: {
        title: 'Error ratio',
        unit: 'percentunit',
        noValue: '–',
        thresholds: ['text', [0.01, 'orange'], [0.05, 'red']],
      },
      span_count: { title: 'Spans', unit: 'locale' },
      first_seen: { title: 'First seen', unit: 'dateTimeAsIso', width: 175 },
      last_seen: { title: 'Last seen', unit: 'dateTimeFromNow' },
    },
  });
