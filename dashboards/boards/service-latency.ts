import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard, queryVariable } from '../kit/board.ts';
import { heatmap, stat, table, timeseries } from '../kit/panels.ts';
import { type ViewQuery, viewCall } from '../kit/query.ts';
import type { Board } from '../shared/model.ts';
import { deployMarks, VERSION_TITLE } from './deploy-marks.ts';
import { TO_FLAME_GRAPH, TO_RUNTIME } from './links.ts';
import { HOW_PERCENTILES, NO_SPANS_OF_SERVICE } from './texts.ts';

const OF_SERVICE = 'service = ${service:singlequote}';
const OF_ROUTE = '$__conditionalAll(route IN (${route:singlequote}), $route)';
const BUSIEST = `route IN (SELECT route FROM ${viewCall('routes')} WHERE ${OF_SERVICE} AND ${OF_ROUTE} ORDER BY count DESC, route LIMIT 10)`;

/** Service latency: which routes of a service are slow or failing, since when, and which requests show it? */
export function serviceLatency(): Board {
  return exportBoard(
    board({
      uid: 'heliograph-service-latency',
      title: 'Service latency',
      description: 'Latency percentiles, rate, errors and slowest requests of one service and its routes.',
      tags: ['latency'],
      from: 'now-1h',
      refresh: '30s',
      annotations: [deployMarks(VERSION_TITLE, [OF_SERVICE])],
      links: [TO_RUNTIME, TO_FLAME_GRAPH],
    })
      .withVariable(serviceVariable())
      .withVariable(routeVariable())
      .withPanel(requestRate())
      .withPanel(errorRatio())
      .withPanel(serviceStat(3, 'p50', 'Half of the requests were faster.'))
      .withPanel(serviceStat(4, 'p95', 'Nineteen of twenty requests were faster.'))
      .withPanel(serviceStat(5, 'p99', 'Ninety-nine of a hundred requests were faster.'))
      .withPanel(requests())
      .withRow(new RowBuilder('Latency'))
      .withPanel(percentiles())
      .withPanel(latencyHeatmap())
      .withRow(new RowBuilder('Routes'))
      .withPanel(p95ByRoute())
      .withPanel(rateByRoute())
      .withPanel(errorsByRoute())
      .withPanel(routes())
      .withRow(new RowBuilder('Slowest requests'))
      .withPanel(slowestSpans()),
  );
}

const serviceVariable = () =>
  queryVariable({
    name: 'service',
    label: 'Service',
    description: 'Services that sent spans in the time range, busiest first.',
    query: { view: 'services', select: ['service'], orderBy: ['count DESC', 'service'] },
    multi: false,
  });

const routeVariable = () =>
  queryVariable({
    name: 'route',
    label: 'Route',
    description: 'Routes of the service, busiest first.',
    query: { view: 'routes', select: ['route'], where: [OF_SERVICE], orderBy: ['count DESC', 'route'] },
    multi: true,
  });

const HEADLINE = { width: 4, height: 3 };
const THIRD = { width: 8, height: 9 };
const ALL_ROUTES = 'All routes of the service, whatever is chosen under Route.';

const ofService = (select: readonly string[]): ViewQuery => ({
  view: 'latency_by_service',
  step: 'whole',
  select,
  where: [OF_SERVICE],
});

const requestRate = () =>
  stat({
    ...HEADLINE,
    id: 1,
    title: 'Request rate, all routes',
    unit: 'reqps',
    description: `Server and Consumer spans per second over the whole range. ${ALL_ROUTES} Bad: far from what is usual at this hour.`,
    noValue: NO_SPANS_OF_SERVICE,
    query: ofService(['rate']),
  });

const errorRatio = () =>
  stat({
    ...HEADLINE,
    id: 2,
    title: 'Error ratio, all routes',
    unit: 'percentunit',
    description: `Share of Server and Consumer spans with status Error. ${ALL_ROUTES} Amber from 1 %, red from 5 %.`,
    noValue: NO_SPANS_OF_SERVICE,
    thresholds: ['green', [0.01, 'orange'], [0.05, 'red']],
    query: ofService(['error_ratio']),
  });

const serviceStat = (id: number, percentile: 'p50' | 'p95' | 'p99', meaning: string) =>
  stat({
    ...HEADLINE,
    id,
    title: `${percentile}, all routes`,
    unit: 'ms',
    description: `${meaning} ${ALL_ROUTES} ${HOW_PERCENTILES}`,
    noValue: NO_SPANS_OF_SERVICE,
    query: ofService([`${percentile}_ms`]),
  });

const requests = () =>
  stat({
    ...HEADLINE,
    id: 6,
    title: 'Requests, all routes',
    unit: 'short',
    description: `Server and Consumer spans in this range: what the percentiles are computed from. ${ALL_ROUTES} Few requests make percentiles jumpy.`,
    noValue: NO_SPANS_OF_SERVICE,
    query: ofService(['count']),
  });

const percentiles = () =>
  timeseries({
    id: 7,
    width: 12,
    height: 10,
    title: 'Latency percentiles, all routes',
    unit: 'ms',
    description: `p50, p95 and p99 of the service. ${ALL_ROUTES} Bad: p99 leaving p50 behind (some requests wait), or all three rising together (everything is slower). ${HOW_PERCENTILES}`,
    noValue: NO_SPANS_OF_SERVICE,
    colors: { p50: 'blue', p95: 'orange', p99: 'purple' },
    query: {
      view: 'latency_by_service',
      step: 'interval',
      select: ['time', 'p50_ms AS p50', 'p95_ms AS p95', 'p99_ms AS p99'],
      where: [OF_SERVICE],
      orderBy: ['time'],
    },
  });

const latencyHeatmap = () =>
  heatmap({
    id: 8,
    width: 12,
    height: 10,
    title: 'Latency distribution, chosen routes',
    unit: 'short',
    bucketUnit: 'ms',
    description:
      'Requests of the chosen routes by duration: darker holds more, each bucket names its upper bound. Bad: a second band above the first (two kinds of requests, one slow), or the whole band climbing.',
    noValue: NO_SPANS_OF_SERVICE,
    query: {
      view: 'latency_histogram',
      step: 'interval',
      select: ['time', 'toString(round(le_ms, 3)) AS le', 'sum(count) AS Value'],
      where: [OF_SERVICE, OF_ROUTE],
      groupBy: ['time', 'le_ms'],
      orderBy: ['time', 'le_ms'],
    },
  });

const byRoute = (value: string): ViewQuery => ({
  view: 'latency_by_route',
  step: 'interval',
  select: ['time', 'route', `${value} AS Value`],
  where: [OF_SERVICE, BUSIEST],
  orderBy: ['time', 'route'],
});

const p95ByRoute = () =>
  timeseries({
    ...THIRD,
    id: 9,
    title: 'p95 latency by route',
    unit: 'ms',
    description: `Nineteen of twenty requests were faster; each of the ten busiest chosen routes has its own line, nothing is averaged. Bad: one route that leaves its usual band. ${HOW_PERCENTILES}`,
    noValue: NO_SPANS_OF_SERVICE,
    query: byRoute('p95_ms'),
  });

const rateByRoute = () =>
  timeseries({
    ...THIRD,
    id: 10,
    title: 'Request rate by route',
    unit: 'reqps',
    description:
      'Server and Consumer spans per second, the ten busiest of the chosen routes. Bad: a line that breaks off (a gap is no data, not zero), or one that doubles without a reason.',
    noValue: NO_SPANS_OF_SERVICE,
    query: byRoute('rate'),
  });

const errorsByRoute = () =>
  timeseries({
    ...THIRD,
    id: 11,
    title: 'Error ratio by route',
    unit: 'percentunit',
    description:
      'Share of spans with status Error, the ten busiest of the chosen routes. Bad: above 1 %, or rising with a deploy.',
    noValue: NO_SPANS_OF_SERVICE,
    query: byRoute('error_ratio'),
  });

const routes = () =>
  table({
    id: 12,
    width: 24,
    height: 8,
    title: 'Routes',
    unit: 'none',
    description:
      'The chosen routes over the whole range, busiest first. A route leads to this board with that route alone. Bad: many requests with a high error ratio or a p99 far above p50.',
    noValue: NO_SPANS_OF_SERVICE,
    query: {
      view: 'latency_by_route',
      step: 'whole',
      select: ['route', 'count', 'rate', 'error_ratio', 'p50_ms', 'p95_ms', 'p99_ms'],
      where: [OF_SERVICE, OF_ROUTE],
      orderBy: ['count DESC', 'route'],
      limit: 500,
    },
    columns: {
      route: {
        title: 'Route',
        link: {
          title: 'Only ${__data.fields.route}',
          url: '/d/heliograph-service-latency?${__url_time_range}&${service:queryparam}&var-route=${__data.fields.route:percentencode}',
        },
        width: 360,
      },
      count: { title: 'Requests', unit: 'locale' },
      rate: { title: 'Rate', unit: 'reqps' },
      error_ratio: { title: 'Error ratio', unit: 'percentunit', thresholds: ['text', [0.01, 'orange'], [0.05, 'red']] },
      p50_ms: { title: 'p50', unit: 'ms' },
      p95_ms: { title: 'p95', unit: 'ms' },
      p99_ms: { title: 'p99', unit: 'ms' },
    },
  });

const slowestSpans = () =>
  table({
    id: 13,
    width: 24,
    height: 11,
    title: 'Slowest requests',
    unit: 'none',
    description:
      'The slowest Server and Consumer spans of the chosen routes, with their trace ids: at most twenty of each route, fifty in all. The trace id finds the whole request: heliograph query trace_spans.',
    noValue: NO_SPANS_OF_SERVICE,
    query: {
      view: 'slowest_spans',
      select: ['time', 'route', 'name', 'duration_ms', 'status', 'status_message', 'trace_id', 'span_id'],
      where: [OF_SERVICE, OF_ROUTE],
      orderBy: ['duration_ms DESC', 'time'],
      limit: 50,
    },
    columns: {
      time: { title: 'Started', unit: 'dateTimeAsIso', width: 175 },
      route: { title: 'Route' },
      name: { title: 'Span' },
      duration_ms: { title: 'Duration', unit: 'ms', width: 100 },
      status: { title: 'Status', width: 80 },
      status_message: { title: 'Message' },
      trace_id: { title: 'Trace id', width: 280 },
      span_id: { title: 'Span id', width: 150 },
    },
  });
