/** One function per panel type. What every panel must say is a required field here, so that none can be left out. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueColorMode,
  BigValueGraphMode,
  BarAlignment,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  PanelBuilder as AnyPanel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Panel as SdkPanel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as Heatmap,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as Text, TextMode } from '@grafana/grafana-foundation-sdk/text';
import { PanelBuilder as Timeseries } from '@grafana/grafana-foundation-sdk/timeseries';
import type { ColorName, Interval, Unit } from '../shared/supported.ts';
import { targetsOf, type ViewQuery } from './query.ts';

export interface PanelSpec {
  /** Never changes and is never reused on its board: links, alerts and `viewPanel` hold it. */
  id: number;
  title: string;
  unit: Unit;
  /** What it means, how it is made, what bad looks like. */
  description: string;
  /** Shown when the result is empty: why, and what to do. */
  noValue: string;
  width: number;
  height: number;
  query: ViewQuery;
}

/** A colour from a value on: [lower bound, colour], the first without a bound. */
export type Thresholds = readonly [ColorName, ...(readonly [number, ColorName])[]];

export interface TimeseriesSpec extends PanelSpec {
  /** Fixed colours, by column; the order is that of the query. */
  colors?: Record<string, ColorName>;
  max?: number;
  /** Bars from the start of each bucket, one on top of the other. */
  bars?: true;
  /** Least width of a bucket; the grain of the rollups where absent. */
  interval?: Interval;
  /** No faint filling under the lines: there are many, or they cross. */
  plain?: true;
  /** Buckets at most, for what is too rare to draw finely. */
  points?: number;
}

/** Lines or bars over time. Value columns named `Value` take the name of their labels. */
export function timeseries(spec: TimeseriesSpec): Builder<SdkPanel> {
  const panel = common(new Timeseries(), spec)
    .interval(spec.interval ?? '1m')
    .min(0)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .legend(legend(spec.bars !== true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (spec.bars === true) bars(panel);
  else lines(panel, spec.plain === true ? 0 : 6);
  if (spec.max !== undefined) panel.max(spec.max);
  if (spec.points !== undefined) panel.maxDataPoints(spec.points);
  for (const [name, fixedColor] of Object.entries(spec.colors ?? {})) {
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }]);
  }
  return withTargets(panel, spec, 0);
}

/** A table beneath the chart. Of lines the highest stands first; bars keep the order of their stack. */
function legend(sorted: boolean): VizLegendOptionsBuilder {
  const builder = new VizLegendOptionsBuilder()
    .showLegend(true)
    .displayMode(LegendDisplayMode.Table)
    .placement(LegendPlacement.Bottom)
    .calcs(['lastNotNull', 'max']);
  return sorted ? builder.sortBy('Last *').sortDesc(true) : builder;
}

function lines(panel: Timeseries, fillOpacity: number): void {
  panel
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1.5)
    .fillOpacity(fillOpacity)
    .showPoints(VisibilityMode.Auto)
    .spanNulls(false);
}

function bars(panel: Timeseries): void {
  panel
    .drawStyle(GraphDrawStyle.Bars)
    .lineWidth(0)
    .fillOpacity(100)
    .barAlignment(BarAlignment.After)
    .barWidthFactor(0.8)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
}

/** One figure for the window. With `named`, the row's text column stands beside it. */
export function stat(spec: PanelSpec & { thresholds?: Thresholds; named?: boolean }): Builder<SdkPanel> {
  const panel = common(new Stat(), spec)
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .textMode(spec.named === true ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .reduceOptions(
      new ReduceDataOptionsBuilder()
        .calcs(['lastNotNull'])
        .values(spec.named === true)
        .limit(1),
    )
    .thresholds(thresholds(spec.thresholds ?? ['text']))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
  return withTargets(panel, spec, 1);
}

export interface TableColumn {
  title: string;
  unit?: Unit;
  width?: number;
  align?: 'left' | 'right';
  /** Sentences: broken into lines, not cut off. */
  wrap?: true;
  /** Stands in empty cells. */
  noValue?: string;
  thresholds?: Thresholds;
  /** Colours of a text column's values; others stay as they are. */
  states?: Readonly<Record<string, ColorName>>;
  link?: { title: string; url: string; targetBlank?: true };
}

/** Rows. `columns` is keyed by the query's column names. */
export function table(spec: PanelSpec & { columns: Record<string, TableColumn> }): Builder<SdkPanel> {
  const panel = common(new Table(), spec);
  for (const [name, column] of Object.entries(spec.columns)) {
    const properties: { id: string; value: unknown }[] = [{ id: 'displayName', value: column.title }];
    if (column.unit !== undefined) properties.push({ id: 'unit', value: column.unit });
    if (column.width !== undefined) properties.push({ id: 'custom.width', value: column.width });
    if (column.align !== undefined) properties.push({ id: 'custom.align', value: column.align });
    if (column.wrap === true) properties.push({ id: 'custom.cellOptions', value: { type: 'auto', wrapText: true } });
    if (column.noValue !== undefined) properties.push({ id: 'noValue', value: column.noValue });
    if (column.link !== undefined) properties.push({ id: 'links', value: [column.link] });
    if (column.thresholds !== undefined) {
      properties.push(
        { id: 'thresholds', value: thresholds(column.thresholds).build() },
        { id: 'color', value: { mode: 'thresholds' } },
        { id: 'custom.cellOptions', value: { type: 'color-text' } },
      );
    }
    if (column.states !== undefined) {
      const options = Object.entries(column.states).map(([state, color], index) => [state, { color, index }] as const);
      properties.push(
        { id: 'mappings', value: [{ type: 'value', options: Object.fromEntries(options) }] },
        { id: 'custom.cellOptions', value: { type: 'color-text' } },
      );
    }
    panel.overrideByName(name, properties);
  }
  return withTargets(panel, spec, 1);
}

/** Buckets over time: one series per `le`, each count its bucket's alone. */
export function heatmap(spec: PanelSpec & { bucketUnit: Unit }): Builder<SdkPanel> {
  const panel = common(new Heatmap(), spec)
    .interval('1m')
    .calculate(false)
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').exponent(0.5).steps(64))
    .yAxis(new YAxisConfigBuilder().unit(spec.bucketUnit))
    .showValue(VisibilityMode.Never)
    .cellGap(1);
  return withTargets(panel, spec, 4);
}

/** A profile as an icicle: columns level, value, self, label, depth first; a column `unit` names the unit for the built-in page. */
export function flamegraph(spec: PanelSpec): Builder<SdkPanel> {
  return withTargets(common(new Flamegraph(), spec), spec, 1);
}

/** The SDK has no builder of its own for Grafana's flame graph. */
class Flamegraph extends AnyPanel {
  constructor() {
    super();
    this.internal.type = 'flamegraph';
  }
}

/** Prose: paragraphs, lists, `## ` headings, code; what it says belongs to no query. */
export function text(spec: Omit<PanelSpec, 'unit' | 'noValue' | 'query'> & { content: string }): Builder<SdkPanel> {
  return new Text()
    .id(spec.id)
    .title(spec.title)
    .description(spec.description)
    .span(spec.width)
    .height(spec.height)
    .mode(TextMode.Markdown)
    .content(spec.content);
}

interface CommonPanel {
  id(id: number): this;
  title(title: string): this;
  unit(unit: string): this;
  description(description: string): this;
  noValue(noValue: string): this;
  span(width: number): this;
  height(height: number): this;
}

function common<P extends CommonPanel>(panel: P, spec: PanelSpec): P {
  return panel
    .id(spec.id)
    .title(spec.title)
    .unit(spec.unit)
    .description(spec.description)
    .noValue(spec.noValue)
    .span(spec.width)
    .height(spec.height);
}

function withTargets<P extends { targets(targets: ReturnType<typeof targetsOf>): P }>(
  panel: P,
  spec: PanelSpec,
  format: 0 | 1 | 4,
): P {
  return panel.targets(targetsOf(spec.query, format));
}

function thresholds([base, ...steps]: Thresholds): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))]);
}

/** The tag dropdown every board carries: siblings, with time range and variables kept. */
export function siblingBoards(tag: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Heliograph boards').tags([tag]).asDropdown(true).keepTime(true).includeVars(true);
}
