/** The events that stand on every chart as upright lines, and their drawing. */
import { h } from './dom.ts';
import { namedColor } from './fields.ts';
import { localTime } from './units.ts';
import type { Plot } from './uplot.ts';

export interface Mark {
  /** Unix seconds. */
  seconds: number;
  /** A few letters beside the line. */
  title: string;
  /** A sentence, shown when the pointer is near. */
  text: string;
  /** As the board names it. */
  color: string;
}

const NEAR_PX = 6;
const MAX_NEAR = 4;
/** Less room than this for each, and the lines would hide the chart: only their feet are drawn. */
const CROWDED_PX = 16;
const LABEL_PX = 11;
const FONT_FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

let shown: readonly Mark[] = [];

/** Replaces the events. Charts show them when they are drawn next. */
export function setMarks(marks: readonly Mark[]): void {
  shown = marks.toSorted((a, b) => a.seconds - b.seconds);
}

/** Draws the lines over a plot, each with its title where the title before it leaves room. */
export function drawMarks(plot: Plot): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const inside = visible(plot);
  if (inside.length === 0) return;
  ctx.save();
  ctx.font = `${LABEL_PX * ratio}px ${FONT_FAMILY}`;
  ctx.textBaseline = 'top';
  ctx.textAlign = 'left';
  ctx.lineWidth = ratio;
  const at = inside.map(({ seconds }) => Math.round(plot.valToPos(seconds, 'x', true)));
  const crowded = (at.at(-1) ?? 0) - (at[0] ?? 0) < (inside.length - 1) * CROWDED_PX * ratio && inside.length > 3;
  let freeFrom = bbox.left;
  for (const [index, mark] of inside.entries()) {
    const x = at[index] ?? 0;
    ctx.strokeStyle = namedColor(mark.color);
    ctx.fillStyle = ctx.strokeStyle;
    drawFlag(ctx, x, bbox.top + bbox.height, 4 * ratio);
    if (crowded) continue;
    ctx.globalAlpha = 0.75;
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    const { width } = ctx.measureText(mark.title);
    // To the right of its line, or to the left where the chart ends.
    const left = x + 4 * ratio + width > bbox.left + bbox.width ? x - 4 * ratio - width : x + 4 * ratio;
    if (mark.title === '' || left < freeFrom) continue;
    ctx.fillText(mark.title, left, bbox.top + ratio);
    freeFrom = Math.max(x, left + width) + 8 * ratio;
  }
  ctx.restore();
}

/** A triangle that stands on the axis: it is seen where the line is lost among others. */
function drawFlag(ctx: CanvasRenderingContext2D, x: number, bottom: number, size: number): void {
  ctx.beginPath();
  ctx.moveTo(x - size, bottom);
  ctx.lineTo(x + size, bottom);
  ctx.lineTo(x, bottom - size * 1.5);
  ctx.fill();
}

/** What to say of the events under the pointer. */
export function marksAt(plot: Plot, left: number): HTMLElement[] {
  const near = visible(plot).filter(({ seconds }) => Math.abs(plot.valToPos(seconds, 'x') - left) <= NEAR_PX);
  const more = near.length - MAX_NEAR;
  return [
    ...near.slice(0, MAX_NEAR).map((mark) => {
      const element = h(
        'div',
        { class: 'tooltip-mark' },
        h('div', {}, mark.text === '' ? mark.title : mark.text),
        h('small', {}, localTime(mark.seconds * 1000)),
      );
      element.style.borderColor = namedColor(mark.color);
      return element;
    }),
    ...(more > 0 ? [h('div', { class: 'tooltip-more' }, `and ${more} more`)] : []),
  ];
}

function visible(plot: Plot): readonly Mark[] {
  const { min, max } = plot.scales['x'] ?? {};
  return shown.filter(({ seconds }) => seconds >= (min ?? Infinity) && seconds <= (max ?? -Infinity));
}
