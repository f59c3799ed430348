/** What the charts over time share: axes, crosshair, zoom by dragging. */
import { cssColor } from './dom.ts';
import { drawMarks } from './marks.ts';
import type { RenderContext } from './renderer.ts';
import { localMinute } from './units.ts';
import { type Plot, type PlotAxis, type PlotOptions, type PlotSeries, uPlot } from './uplot.ts';

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const DAY_SECONDS = 86_400;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function axisStyle(): Pick<PlotAxis, 'font' | 'stroke' | 'grid' | 'ticks'> {
  const line = cssColor('--grid');
  return {
    font: FONT,
    stroke: cssColor('--muted'),
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
  };
}

function timeLabel(seconds: number, step: number): string {
  const at = new Date(seconds * 1000);
  const midnight = at.getHours() === 0 && at.getMinutes() === 0;
  return step >= DAY_SECONDS || midnight ? `${MONTHS[at.getMonth()]} ${at.getDate()}` : localMinute(seconds * 1000);
}

/** Plots on the page. */
const live = new Set<Plot>();

/** Draws every chart again with the figures it has: the events on them have changed. */
export function redrawCharts(): void {
  for (const plot of live) plot.redraw(false);
}

/** A plot that fills `host`, over the range [from, to] in Unix ms, sharing its crosshair with every other on the page. */
export interface ChartSpec {
  host: HTMLElement;
  fromMs: number;
  toMs: number;
  data: (number | null)[][];
  series: PlotSeries[];
  yScale: NonNullable<PlotOptions['scales']>[string];
  yAxis: PlotAxis;
  hooks: NonNullable<PlotOptions['hooks']>;
  context: RenderContext;
}

/** Builds the plot. */
export function createChart(spec: ChartSpec): Plot {
  const { host, context } = spec;
  const options: PlotOptions = {
    width: Math.max(host.clientWidth, 40),
    height: Math.max(host.clientHeight, 40),
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      // A drag is the dragged chart's own: were it shared, every chart would set the range.
      sync: {
        key: 'heliograph',
        setSeries: false,
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
      },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
    },
    scales: { x: { time: true, range: () => [spec.fromMs / 1000, spec.toMs / 1000] }, y: spec.yScale },
    axes: [
      {
        ...axisStyle(),
        size: 26,
        space: 64,
        values: (_plot, splits, _axis, _space, step) => splits.map((split) => timeLabel(split, step)),
      },
      { ...axisStyle(), size: widestLabel, ...spec.yAxis },
    ],
    series: [{}, ...spec.series],
    hooks: {
      ...spec.hooks,
      draw: [drawMarks],
      destroy: [(plot) => live.delete(plot)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 8) return;
          const [from, to] = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
          context.zoom(Math.round(from * 1000), Math.round(to * 1000));
        },
      ],
    },
  };
  const plot = new uPlot(options, spec.data as never, host);
  live.add(plot);
  return plot;
}

function widestLabel(_plot: Plot, labels: string[] | null): number {
  const longest = Math.max(3, ...(labels ?? []).map((label) => label.length));
  return Math.ceil(longest * 6.4) + 16;
}
