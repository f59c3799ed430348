/**
 * What the built-in page draws. The boards' lint fails on anything outside this table, so a board looks alike here and in
 * Grafana. To widen it, teach the page first.
 */

/** Top-level keys of `options` that are read, by panel type; keys with `=` are accepted in that one value only. */
export const PANEL_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  timeseries: ['legend', 'tooltip'],
  stat: [
    'graphMode=none',
    'colorMode',
    'justifyMode=auto',
    'textMode',
    'wideLayout',
    'showPercentChange=false',
    'reduceOptions',
    'percentChangeColorMode',
    'orientation=auto',
  ],
  table: ['frameIndex', 'showHeader', 'showTypeIcons=false', 'footer', 'cellHeight', 'sortBy'],
  heatmap: [
    'calculate=false',
    'color',
    'filterValues',
    'showValue=never',
    'cellGap',
    'yAxis',
    'legend',
    'tooltip',
    'exemplars',
    'selectionMode=x',
    'rowsFrame',
    'cellValues',
  ],
  flamegraph: [],
  text: ['mode=markdown', 'content'],
  row: [],
};

/** Grafana unit ids that the page formats. */
export const UNITS = [
  'none',
  'string',
  'short',
  'locale',
  'ns',
  'ms',
  's',
  'percent',
  'percentunit',
  'reqps',
  'ops',
  'bytes',
  'decbytes',
  'Bps',
  'dateTimeFromNow',
  'dateTimeAsIso',
] as const;
export type Unit = (typeof UNITS)[number];

/** Keys of `fieldConfig.defaults.custom` that have an effect here. */
export const CUSTOM_OPTIONS = [
  'drawStyle',
  'lineWidth',
  'fillOpacity',
  'showPoints',
  'spanNulls',
  'lineInterpolation',
  'stacking',
  'barAlignment',
  'barWidthFactor',
  'align',
  'inspect',
  'width',
  'cellOptions',
] as const;

/** Property ids of overrides. */
export const OVERRIDES = [
  'displayName',
  'unit',
  'decimals',
  'color',
  'thresholds',
  'mappings',
  'links',
  'noValue',
  'custom.width',
  'custom.align',
  'custom.cellOptions',
] as const;

/** Matchers of overrides. */
export const MATCHERS = ['byName'] as const;

/** Named colours, as Grafana spells them. */
export const COLORS = ['green', 'yellow', 'orange', 'red', 'blue', 'purple', 'text'] as const;
export type ColorName = (typeof COLORS)[number];

/** Variable types. A data source variable has no control here: there is one store. */
export const VARIABLE_TYPES = ['query', 'datasource'] as const;

/** Least widths of a bucket that panels over time ask for: the grain of the rollups, an hour for rare events, a week. */
export const INTERVALS = ['1m', '1h', '7d'] as const;
export type Interval = (typeof INTERVALS)[number];

/** Columns of an annotation's query, in order. Grafana reads them by name. */
export const ANNOTATION_COLUMNS = ['time', 'text', 'title', 'tags'] as const;
