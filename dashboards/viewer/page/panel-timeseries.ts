/** Lines or bars over time, with a legend that switches them off. */
import type { FieldOptions } from '../../shared/model.ts';
import { createChart } from './chart.ts';
import { h } from './dom.ts';
import { fieldOptions, seriesColors } from './fields.ts';
import { lastNotNull, maxOf, type PanelData, type Series, stacked, toWide } from './frames.ts';
import type { RenderContext, RendererFactory } from './renderer.ts';
import { tooltipHooks, type TooltipRow } from './tooltip.ts';
import { axisSteps, formatText } from './units.ts';
import { type Plot, type PlotAxis, type PlotSeries, uPlot } from './uplot.ts';

interface Line extends Series {
  color: string;
  unit: string | undefined;
}

export const timeseriesPanel: RendererFactory = (host) => {
  const canvas = h('div', { class: 'plot' });
  const legend = h('div', { class: 'legend' });
  host.append(canvas, legend);
  const hidden = new Set<string>();
  let plot: Plot | undefined;

  const draw = (data: PanelData, context: RenderContext): boolean => {
    plot?.destroy();
    plot = undefined;
    const target = data.targets[0];
    if (target === undefined || target.rows.length === 0) {
      legend.replaceChildren();
      return false;
    }
    const wide = toWide(target, data.meta.stepSeconds);
    if (wide.series.every(({ values }) => values.every((value) => value === null))) {
      legend.replaceChildren();
      return false;
    }
    const options = wide.series.map(({ name }) => fieldOptions(context.panel, name));
    const colors = seriesColors(wide.series.map(({ name }, index) => ({ name, color: options[index]?.color })));
    const lines = wide.series.map((series, index) => ({
      ...series,
      color: colors[index] ?? '',
      unit: options[index]?.unit,
    }));
    const drawPlot = () => {
      plot?.destroy();
      plot = plotOf(canvas, wide.times, lines, hidden, data, context);
    };
    drawLegend(legend, legendOrder(lines, context), hidden, drawPlot);
    drawPlot();
    return true;
  };
  return { draw, destroy: () => plot?.destroy() };
};

function plotOf(
  host: HTMLElement,
  times: number[],
  lines: readonly Line[],
  hidden: ReadonlySet<string>,
  data: PanelData,
  context: RenderContext,
): Plot {
  const { custom = {}, max: fixed } = context.panel.fieldConfig?.defaults ?? {};
  const stacks = (custom['stacking'] as { mode?: string } | undefined)?.mode === 'normal';
  // What is drawn later lies on top: of a stack, the whole must come first and its lowest part last.
  const order = stacks ? lines.toReversed() : lines;
  const heights = stacks
    ? stacked(lines.map(({ name, values }) => (hidden.has(name) ? values.map(() => null) : values))).toReversed()
    : lines.map(({ values }) => values);
  const tooltip = tooltipHooks((plot, index) => rowsAt(plot, index, order));
  return createChart({
    host,
    fromMs: data.meta.from,
    toMs: data.meta.to,
    data: [times, ...heights],
    series: order.map((line) => seriesOf(line, !hidden.has(line.name), custom)),
    yScale: { range: (_plot, _min, max) => yRange(max, fixed) },
    yAxis: yAxisOf(lines[0]?.unit),
    hooks: { init: [tooltip.init], setCursor: [tooltip.setCursor] },
    context,
  });
}

function yAxisOf(unit: string | undefined): PlotAxis {
  const steps = axisSteps(unit);
  return {
    values: (_plot, splits) => splits.map((split) => formatText(unit, split)),
    ...(steps === undefined ? {} : { incrs: steps }),
  };
}

function seriesOf(line: Line, show: boolean, custom: NonNullable<FieldOptions['custom']>): PlotSeries {
  const fill = Number(custom['fillOpacity'] ?? 0);
  const common = { label: line.name, show, stroke: line.color };
  if (custom['drawStyle'] === 'bars' && uPlot.paths.bars !== undefined) {
    const paths = uPlot.paths.bars({ size: [0.8, 90], align: custom['barAlignment'] === 1 ? 1 : 0 });
    return { ...common, width: 0, fill: line.color, paths, points: { show: false } };
  }
  return {
    ...common,
    width: 1.5,
    ...(fill > 0 ? { fill: line.color.replace(')', `, ${fill / 100})`) } : {}),
    spanGaps: false,
    points: { show: true, size: 5, fill: line.color, filter: (_plot, index) => lonely(line, index) },
  };
}

/** A value between two gaps makes no line: it is drawn as a point. */
function lonely(line: Line, _seriesIndex: number): number[] {
  const { values } = line;
  return values.flatMap((value, index) =>
    value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null ? [index] : [],
  );
}

// Rates, ratios and durations start at zero: an axis that does not makes a tremor look like a cliff.
function yRange(max: number | null, fixed: number | undefined): [number, number] {
  if (fixed !== undefined) return [0, fixed];
  return [0, max === null || max <= 0 ? 1 : max * 1.08];
}

function rowsAt(plot: Plot, index: number, lines: readonly Line[]): TooltipRow[] {
  const pointer = plot.posToVal(plot.cursor.top ?? 0, 'y');
  const shown = lines.filter((_, at) => plot.series[at + 1]?.show === true);
  const present = shown.flatMap((line) => {
    const value = line.values[index];
    return value === null || value === undefined ? [] : [{ line, value }];
  });
  const nearest = present.reduce<number>((best, { value }) => Math.min(best, Math.abs(value - pointer)), Infinity);
  return present
    .sort((a, b) => b.value - a.value)
    .map(({ line, value }) => ({
      color: line.color,
      name: line.name,
      value: formatText(line.unit, value),
      near: Math.abs(value - pointer) === nearest,
    }));
}

/** Highest last value first where the board sorts its legend; what has none stands last. */
function legendOrder(lines: readonly Line[], { panel }: RenderContext): readonly Line[] {
  const { sortDesc } = (panel.options?.['legend'] ?? {}) as { sortDesc?: boolean };
  const last = (line: Line) => lastNotNull(line.values) ?? -Infinity;
  return sortDesc === true ? lines.toSorted((a, b) => last(b) - last(a) || 0) : lines;
}

function drawLegend(host: HTMLElement, lines: readonly Line[], hidden: Set<string>, changed: () => void): void {
  const rows = lines.map((line) => {
    const swatch = h('i', { class: 'swatch' });
    swatch.style.background = line.color;
    const button = h(
      'button',
      { type: 'button', class: 'legend-name', title: line.name },
      swatch,
      h('span', {}, line.name),
    );
    const mark = () => {
      button.setAttribute('aria-pressed', String(!hidden.has(line.name)));
    };
    button.addEventListener('click', () => {
      if (!hidden.delete(line.name)) hidden.add(line.name);
      mark();
      changed();
    });
    mark();
    const cell = (value: number | null) => h('td', {}, value === null ? '–' : formatText(line.unit, value));
    return h('tr', {}, h('td', {}, button), cell(lastNotNull(line.values)), cell(maxOf(line.values)));
  });
  const head = h(
    'tr',
    {},
    h('th', { scope: 'col' }, 'Name'),
    h('th', { scope: 'col' }, 'Last'),
    h('th', { scope: 'col' }, 'Max'),
  );
  host.replaceChildren(h('table', {}, h('thead', {}, head), h('tbody', {}, ...rows)));
}
