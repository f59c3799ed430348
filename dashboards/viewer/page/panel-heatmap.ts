/** Counts by bucket over time. Columns are steps, rows are buckets named by their upper bound. */
import { createChart } from './chart.ts';
import { cssColor, h } from './dom.ts';
import { type PanelData, toWide } from './frames.ts';
import type { RenderContext, RendererFactory } from './renderer.ts';
import { tooltipHooks } from './tooltip.ts';
import { formatText } from './units.ts';
import type { Plot } from './uplot.ts';

interface Buckets {
  times: number[];
  /** Upper bounds, ascending, with a row of counts each. */
  bounds: number[];
  counts: (number | null)[][];
  max: number;
  stepSeconds: number;
}

export const heatmapPanel: RendererFactory = (host) => {
  const canvas = h('div', { class: 'plot' });
  host.append(canvas);
  let plot: Plot | undefined;

  const draw = (data: PanelData, context: RenderContext): boolean => {
    plot?.destroy();
    plot = undefined;
    const buckets = bucketsOf(data);
    if (buckets === undefined) return false;
    const { unit: valueUnit } = context.panel.fieldConfig?.defaults ?? {};
    const { unit } = (context.panel.options?.['yAxis'] ?? {}) as { unit?: string };
    const label = (index: number) => formatText(unit, buckets.bounds[index] ?? 0);
    const tooltip = tooltipHooks((plotted) => rowsAt(plotted, buckets, label, valueUnit));
    plot = createChart({
      host: canvas,
      fromMs: data.meta.from,
      toMs: data.meta.to,
      data: [buckets.times, buckets.times.map(() => null)],
      series: [{ show: true, points: { show: false } }],
      yScale: { range: () => [0, buckets.bounds.length] },
      yAxis: {
        splits: () => labelledRows(buckets.bounds.length, canvas.clientHeight),
        values: (_plot, splits) => splits.map((split) => label(split - 1)),
        grid: { show: false },
      },
      hooks: {
        init: [tooltip.init],
        setCursor: [tooltip.setCursor],
        drawClear: [(plotted) => paint(plotted, buckets)],
      },
      context,
    });
    return true;
  };
  return { draw, destroy: () => plot?.destroy() };
};

function bucketsOf(data: PanelData): Buckets | undefined {
  const target = data.targets[0];
  if (target === undefined || target.rows.length === 0) return undefined;
  const wide = toWide(target, data.meta.stepSeconds);
  const byBound = wide.series
    .map((series) => ({ bound: Number(series.name), counts: series.values }))
    .filter(({ bound }) => !Number.isNaN(bound))
    .sort((a, b) => a.bound - b.bound);
  return {
    times: wide.times,
    bounds: byBound.map(({ bound }) => bound),
    counts: byBound.map(({ counts }) => counts),
    max: Math.max(1, ...byBound.flatMap(({ counts }) => counts.map((count) => count ?? 0))),
    stepSeconds: data.meta.stepSeconds,
  };
}

/** Upper edges to label: all of them, or every second, third … where rows are thin. */
function labelledRows(rows: number, height: number): number[] {
  const every = Math.max(1, Math.ceil((rows * 16) / Math.max(height - 30, 16)));
  return Array.from({ length: rows }, (_, index) => index + 1).filter((row) => (rows - row) % every === 0);
}

/** Opacity by the square root of the count keeps small counts visible beside large ones. */
function paint(plot: Plot, { times, counts, max, stepSeconds }: Buckets): void {
  const { ctx } = plot;
  const gap = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
  ctx.clip();
  ctx.fillStyle = cssColor('--heat');
  counts.forEach((row, bucket) => {
    const top = plot.valToPos(bucket + 1, 'y', true);
    const height = plot.valToPos(bucket, 'y', true) - top;
    row.forEach((count, index) => {
      if (count === null || count === 0) return;
      const left = plot.valToPos(times[index] ?? 0, 'x', true);
      const width = plot.valToPos((times[index] ?? 0) + stepSeconds, 'x', true) - left;
      ctx.globalAlpha = 0.1 + 0.9 * Math.sqrt(count / max);
      ctx.fillRect(left, top, Math.max(width - gap, gap), Math.max(height - gap, gap));
    });
  });
  ctx.restore();
}

function rowsAt(
  plot: Plot,
  { times, counts, bounds }: Buckets,
  label: (index: number) => string,
  unit: string | undefined,
) {
  const at = plot.posToVal(plot.cursor.left ?? 0, 'x');
  const index = times.findLastIndex((time) => time <= at);
  const pointed = Math.floor(plot.posToVal(plot.cursor.top ?? 0, 'y'));
  return bounds
    .map((_, bucket) => ({ bucket, count: counts[bucket]?.[index] ?? 0 }))
    .filter(({ count }) => count > 0)
    .toReversed()
    .map(({ bucket, count }) => ({
      color: cssColor('--heat'),
      name: `≤ ${label(bucket)}`,
      value: formatText(unit, count),
      near: bucket === pointed,
    }));
}
