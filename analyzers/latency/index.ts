import type { Analyzer, ViewColumn, ViewParameter } from '../types.ts';

const WINDOW: readonly ViewParameter[] = [
  { name: 'from', type: 'DateTime', description: 'Start of the window; the minute that holds it is included.' },
  {
    name: 'to',
    type: 'DateTime',
    description: 'End of the window; the last minute that starts before it is included.',
  },
];
const STEP: ViewParameter = {
  name: 'step',
  type: 'UInt32',
  description: 'Seconds per row, raised to a multiple of 60.',
};

const TIME: ViewColumn = { name: 'time', type: 'DateTime', unit: '', description: 'Start of the step, UTC.' };
const SERVICE: ViewColumn = { name: 'service', type: 'String', unit: '', description: 'service.name of the resource.' };
const ROUTE: ViewColumn = {
  name: 'route',
  type: 'String',
  unit: '',
  description: 'http.route, else rpc.service/rpc.method, else the span name with its ids replaced by {id}.',
};

const RED: readonly ViewColumn[] = [
  { name: 'count', type: 'UInt64', unit: 'spans', description: 'Server and Consumer spans that started in the step.' },
  { name: 'error_count', type: 'UInt64', unit: 'spans', description: 'Those with status Error.' },
  {
    name: 'rate',
    type: 'Float64',
    unit: '1/s',
    description: 'count over the part of the step inside the window and in the past.',
  },
  { name: 'error_ratio', type: 'Float64', unit: 'ratio', description: 'error_count / count.' },
  { name: 'p50_ms', type: 'Float64', unit: 'ms', description: 'Median duration (nearest rank).' },
  { name: 'p95_ms', type: 'Float64', unit: 'ms', description: '95th percentile (nearest rank).' },
  { name: 'p99_ms', type: 'Float64', unit: 'ms', description: '99th percentile (nearest rank).' },
  { name: 'mean_ms', type: 'Float64', unit: 'ms', description: 'Exact mean duration.' },
  {
    name: 'bins',
    type: 'Map(Int16, UInt64)',
    unit: 'spans',
    description: 'The sketch the percentiles were read from: bin -> spans; -1 holds durations of 0.',
  },
  { name: 'relative_error', type: 'Float64', unit: 'ratio', description: 'Largest relative error of each percentile.' },
];

const SPAN: readonly ViewColumn[] = [
  { name: 'time', type: 'DateTime64(9)', unit: '', description: 'Start of the span, UTC.' },
  SERVICE,
  ROUTE,
  { name: 'name', type: 'String', unit: '', description: 'Span name.' },
  { name: 'kind', type: 'String', unit: '', description: 'Span kind.' },
  { name: 'duration_ms', type: 'Float64', unit: 'ms', description: 'Exact duration.' },
  { name: 'status', type: 'String', unit: '', description: 'Unset, Ok or Error.' },
  { name: 'status_message', type: 'String', unit: '', description: 'Message of the status, as sent.' },
  { name: 'trace_id', type: 'String', unit: '', description: '32 lower hex digits.' },
  { name: 'span_id', type: 'String', unit: '', description: '16 lower hex digits.' },
];

/** Latency, rate and errors of services and routes. Definitions and known bias: README.md in this folder. */
export const latency: Analyzer = {
  name: 'latency',
  sql: 'analyzers/latency/latency.sql',
  views: [
    {
      name: 'latency_by_route',
      question: 'How fast, how often and how reliably does each route answer?',
      description: 'One row per step, service and route. No row where nothing was received.',
      parameters: [...WINDOW, STEP],
      columns: [TIME, SERVICE, ROUTE, ...RED],
      countColumn: 'count',
      source: 'otlp_traces',
    },
    {
      name: 'latency_by_service',
      question: 'How fast, how often and how reliably does each service answer?',
      description: 'One row per step and service, merged from the bins of its routes.',
      parameters: [...WINDOW, STEP],
      columns: [TIME, SERVICE, ...RED],
      countColumn: 'count',
      source: 'otlp_traces',
    },
    {
      name: 'latency_jumps',
      question: 'Which routes became slower than they were right before?',
      description: 'One row per service and route with spans in the window or in the baseline before it.',
      parameters: [
        {
          name: 'to',
          type: 'DateTime',
          description: 'End of the window; the minute that holds it is left out, as it is still filling.',
        },
        { name: 'window', type: 'UInt32', description: 'Seconds, raised to a multiple of 60.', default: 300 },
        {
          name: 'baseline',
          type: 'UInt32',
          description: 'Seconds right before the window, raised to a multiple of 60.',
          default: 3600,
        },
      ],
      columns: [
        SERVICE,
        ROUTE,
        {
          name: 'before_p99_ms',
          type: 'Nullable(Float64)',
          unit: 'ms',
          description: '99th percentile of the baseline; NULL without spans.',
        },
        {
          name: 'after_p99_ms',
          type: 'Nullable(Float64)',
          unit: 'ms',
          description: '99th percentile of the window; NULL without spans.',
        },
        { name: 'n_before', type: 'UInt64', unit: 'spans', description: 'Server and Consumer spans in the baseline.' },
        { name: 'n_after', type: 'UInt64', unit: 'spans', description: 'Server and Consumer spans in the window.' },
        {
          name: 'relative_error',
          type: 'Float64',
          unit: 'ratio',
          description: 'Largest relative error of each percentile.',
        },
        { name: 'baseline_from', type: 'DateTime', unit: '', description: 'Start of the baseline.' },
        { name: 'window_from', type: 'DateTime', unit: '', description: 'Start of the window, end of the baseline.' },
        { name: 'window_to', type: 'DateTime', unit: '', description: 'End of the window, exclusive.' },
      ],
      countColumn: 'n_after',
      orderBy: ['ifNull(after_p99_ms - before_p99_ms, 0) DESC', 'service', 'route'],
      source: 'otlp_traces',
    },
    {
      name: 'latency_histogram',
      question: 'How are the durations of a route spread?',
      description: 'Spans per step and bucket; bounds lie on bin edges, so every count is exact.',
      parameters: [...WINDOW, STEP],
      columns: [
        TIME,
        SERVICE,
        ROUTE,
        {
          name: 'le_ms',
          type: 'Float64',
          unit: 'ms',
          description: 'Upper bound of the bucket, inclusive; 0 holds durations of 0.',
        },
        { name: 'count', type: 'UInt64', unit: 'spans', description: 'Spans in this bucket alone (not cumulative).' },
      ],
      countColumn: 'count',
      source: 'otlp_traces',
    },
    {
      name: 'latency_by_status',
      question: 'How are the durations of a route spread, by how its requests ended?',
      description: 'One row per step, service, route and status, with the buckets of latency_histogram side by side.',
      parameters: [...WINDOW, STEP],
      columns: [
        TIME,
        SERVICE,
        ROUTE,
        { name: 'status', type: 'String', unit: '', description: 'Status of the spans: Unset, Ok or Error.' },
        { name: 'count', type: 'UInt64', unit: 'spans', description: 'Server and Consumer spans.' },
        { name: 'duration_sum_ms', type: 'Float64', unit: 'ms', description: 'Exact sum of their durations.' },
        {
          name: 'le_ms',
          type: 'Array(Float64)',
          unit: 'ms',
          description: 'Upper bounds of the buckets that hold spans, inclusive, ascending; 0 holds durations of 0.',
        },
        {
          name: 'counts',
          type: 'Array(UInt64)',
          unit: 'spans',
          description: 'Spans in each bucket alone (not cumulative), in the order of le_ms.',
        },
      ],
      countColumn: 'count',
      source: 'otlp_traces',
    },
    {
      name: 'slowest_spans',
      question: 'Which requests were the slowest?',
      description: 'The twenty slowest Server and Consumer spans of every service and route in the window.',
      parameters: WINDOW,
      columns: SPAN,
      source: 'otlp_traces',
    },
    {
      name: 'services',
      question: 'Which services sent spans?',
      description: 'One row per service that started a span in the window.',
      parameters: WINDOW,
      columns: [
        SERVICE,
        { name: 'version', type: 'String', unit: '', description: 'service.version last seen; empty where absent.' },
        { name: 'region', type: 'String', unit: '', description: 'cloud.region last seen; empty where absent.' },
        {
          name: 'route_count',
          type: 'UInt64',
          unit: 'routes',
          description: 'Distinct routes among Server and Consumer spans.',
        },
        { name: 'count', type: 'UInt64', unit: 'spans', description: 'Server and Consumer spans.' },
        { name: 'error_count', type: 'UInt64', unit: 'spans', description: 'Those with status Error.' },
        { name: 'span_count', type: 'UInt64', unit: 'spans', description: 'Spans of every kind.' },
        { name: 'first_seen', type: 'DateTime', unit: '', description: 'First minute with a span inside the window.' },
        { name: 'last_seen', type: 'DateTime', unit: '', description: 'Last minute with a span inside the window.' },
      ],
      countColumn: 'span_count',
      source: 'otlp_traces',
    },
    {
      name: 'routes',
      question: 'Which routes served?',
      description: 'Service and route pairs with Server or Consumer spans in the window.',
      parameters: WINDOW,
      columns: [
        SERVICE,
        ROUTE,
        { name: 'count', type: 'UInt64', unit: 'spans', description: 'Server and Consumer spans.' },
      ],
      countColumn: 'count',
      source: 'otlp_traces',
    },
    {
      name: 'trace_spans',
      question: 'What happened in this trace?',
      description: 'Every span of one trace, oldest first.',
      parameters: [{ name: 'trace_id', type: 'String', description: '32 lower hex digits.' }],
      columns: [
        ...SPAN,
        { name: 'parent_span_id', type: 'String', unit: '', description: 'Empty for a root span.' },
        {
          name: 'attributes',
          type: 'Map(LowCardinality(String), String)',
          unit: '',
          description: 'Attributes of the span, as text.',
        },
        {
          name: 'resource_attributes',
          type: 'Map(LowCardinality(String), String)',
          unit: '',
          description: 'Attributes of the resource, as text.',
        },
      ],
      source: 'otlp_traces',
    },
  ],
};
