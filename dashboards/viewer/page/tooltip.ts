/** The box beside the crosshair. */
import { h } from './dom.ts';
import { marksAt } from './marks.ts';
import { localTime } from './units.ts';
import type { Plot } from './uplot.ts';

export interface TooltipRow {
  color: string;
  name: string;
  value: string;
  /** Set apart: the line nearest to the pointer. */
  near: boolean;
}

const MAX_ROWS = 12;

/** Adds the box to a plot's hooks. `rowsAt` gives the lines at a data index, in the order to show them. */
export function tooltipHooks(rowsAt: (plot: Plot, index: number) => TooltipRow[]): {
  init: (plot: Plot) => void;
  setCursor: (plot: Plot) => void;
} {
  const box = h('div', { class: 'tooltip', hidden: true });
  return {
    init: (plot) => plot.over.append(box),
    setCursor: (plot) => {
      const { idx, left = -1, top = -1 } = plot.cursor;
      const seconds = idx === null || idx === undefined ? undefined : plot.data[0][idx];
      // A synced crosshair comes without a pointer: only the chart under the pointer shows its box.
      const pointed = left >= 0 && plot.over.matches(':hover');
      const rows = seconds === undefined || !pointed ? [] : rowsAt(plot, idx ?? 0);
      const marks = pointed ? marksAt(plot, left) : [];
      box.hidden = rows.length + marks.length === 0;
      if (box.hidden) return;
      const more = rows.length - MAX_ROWS;
      box.replaceChildren(
        ...marks,
        rows.length === 0 ? '' : h('div', { class: 'tooltip-time' }, localTime((seconds ?? 0) * 1000)),
        ...rows.slice(0, MAX_ROWS).map(rowOf),
        more > 0 ? h('div', { class: 'tooltip-more' }, `and ${more} more`) : '',
      );
      place(box, plot, left, top);
    },
  };
}

function rowOf({ color, name, value, near }: TooltipRow): HTMLElement {
  const swatch = h('i', { class: 'swatch' });
  swatch.style.background = color;
  return h('div', { class: near ? 'tooltip-row near' : 'tooltip-row' }, swatch, h('span', {}, name), h('b', {}, value));
}

function place(box: HTMLElement, plot: Plot, left: number, top: number): void {
  const { width, height } = plot.over.getBoundingClientRect();
  const flip = left + box.offsetWidth + 24 > width;
  box.style.left = `${flip ? Math.max(-40, left - box.offsetWidth - 14) : left + 14}px`;
  box.style.top = `${Math.min(Math.max(0, top - 12), Math.max(0, height - box.offsetHeight + 24))}px`;
}
