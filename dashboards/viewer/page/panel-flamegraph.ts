/** Where the time of a profile went: an icicle to look into, and its functions as a list beside it. */
import { h } from './dom.ts';
import { type Box, layout, paint, ROW_PX } from './flame-canvas.ts';
import { createFlameTable } from './flame-table.ts';
import {
  buildTree,
  findPath,
  type FlameNode,
  type FlameTree,
  functionTotals,
  pathTo,
  search,
  shortLabel,
} from './flame-tree.ts';
import { moved } from './flame-keys.ts';
import type { PanelData } from './frames.ts';
import type { RenderContext, RendererFactory } from './renderer.ts';
import { formatText } from './units.ts';

/** Beneath this width the list would leave the graph no room. */
const TABLE_FROM_PX = 820;
/** What a profile calls its unit -> Grafana's id. */
const UNITS: Readonly<Record<string, string>> = { nanoseconds: 'ns', bytes: 'bytes', count: 'short' };

export const flamegraphPanel: RendererFactory = (host) => {
  const parts = createParts();
  host.append(parts.element);
  let tree: FlameTree = { nodes: [], total: 0, depth: 0, unit: undefined };
  let unit: string | undefined;
  let focus = -1;
  let marked = -1;
  let boxes: Box[] = [];

  const format = (value: number) => formatText(unit, value);
  const render = () => {
    const { clientWidth: width } = parts.scroll;
    const searched = search(tree, parts.search.value);
    const scene = { tree, focus, marked, found: searched?.found };
    boxes = layout(scene, width);
    paint(parts.canvas, width, scene, boxes);
    parts.found.textContent = searched === undefined ? '' : foundText(searched, tree);
    parts.reset.hidden = focus < 0 && searched === undefined;
    parts.path.hidden = focus < 0;
    parts.path.replaceChildren(...crumbs(tree, focus, focusOn));
  };
  const focusOn = (index: number) => {
    focus = tree.nodes[index]?.parent === -1 ? -1 : index;
    mark(-1);
    render();
    parts.scroll.scrollTop = 0;
  };
  const mark = (index: number, at?: { x: number; y: number }) => {
    const box = boxes.find(({ node }) => node.index === index);
    const changed = marked !== index;
    marked = index;
    parts.tip.hidden = box === undefined;
    if (box !== undefined) {
      const { node } = box;
      parts.tip.replaceChildren(...factsOf(tree, node, format));
      placeTip(parts, at ?? { x: box.left + 12, y: (node.level + 1) * ROW_PX });
    }
    if (changed) render();
  };
  bindPointer(parts, () => boxes, mark, focusOn);
  bindKeyboard(parts, () => ({ tree, boxes, marked, focus }), mark, focusOn);
  parts.search.addEventListener('input', render);
  const table = createFlameTable((label) => {
    parts.search.value = parts.search.value === label ? '' : label;
    table.set(functionTotals(tree), format, parts.search.value);
    render();
  });
  parts.body.prepend(table.element);
  parts.reset.addEventListener('click', () => {
    parts.search.value = '';
    table.set(functionTotals(tree), format, '');
    focusOn(-1);
    parts.search.focus();
  });

  const draw = (data: PanelData, context: RenderContext): boolean => {
    const target = data.targets[0];
    parts.element.hidden = target === undefined || target.rows.length === 0;
    if (target === undefined || target.rows.length === 0) return false;
    const path = pathTo(tree, focus).map(({ label }) => label);
    tree = buildTree(target);
    focus = path.length === 0 ? -1 : findPath(tree, path);
    marked = -1;
    parts.tip.hidden = true;
    unit = UNITS[tree.unit ?? ''] ?? context.panel.fieldConfig?.defaults.unit;
    table.element.hidden = host.clientWidth < TABLE_FROM_PX;
    table.set(functionTotals(tree), format, parts.search.value);
    render();
    return true;
  };
  return { draw, destroy: () => undefined };
};

const share = (value: number, of: number) => formatText('percentunit', of > 0 ? value / of : 0);

function foundText({ found, value }: { found: ReadonlySet<number>; value: number }, tree: FlameTree): string {
  return `${found.size} ${found.size === 1 ? 'frame' : 'frames'}, ${share(value, tree.total)} of all`;
}

/** What the box beside a frame says. */
function factsOf(tree: FlameTree, node: FlameNode, format: (value: number) => string): HTMLElement[] {
  const caller = tree.nodes[node.parent];
  const facts: [string, string][] = [
    ['Total', `${format(node.value)} · ${share(node.value, tree.total)}`],
    ['Self', `${format(node.self)} · ${share(node.self, tree.total)}`],
  ];
  if (caller !== undefined) facts.push(['Of its caller', share(node.value, caller.value)]);
  return [
    h('div', { class: 'flame-label' }, node.label),
    ...facts.map(([name, text]) => h('div', { class: 'tooltip-row' }, h('span', {}, name), h('b', {}, text))),
  ];
}

interface Parts {
  element: HTMLElement;
  search: HTMLInputElement;
  found: HTMLElement;
  reset: HTMLButtonElement;
  path: HTMLElement;
  body: HTMLElement;
  scroll: HTMLElement;
  canvas: HTMLCanvasElement;
  tip: HTMLElement;
}

function createParts(): Parts {
  const field = h('input', {
    type: 'search',
    placeholder: 'Search functions',
    'aria-label': 'Search functions',
    autocomplete: 'off',
  });
  const found = h('span', { class: 'flame-found', role: 'status' });
  const reset = h('button', { type: 'button', class: 'flame-reset', hidden: true }, 'Reset');
  const path = h('nav', { class: 'flame-path', 'aria-label': 'Focused function', hidden: true });
  const canvas = h('canvas');
  const tip = h('div', { class: 'tooltip flame-tip', role: 'status', hidden: true });
  const scroll = h(
    'div',
    {
      class: 'flame-scroll',
      tabindex: 0,
      role: 'application',
      'aria-label': 'Flame graph: arrows move, Enter looks into a function, Escape goes back',
    },
    canvas,
    tip,
  );
  const body = h('div', { class: 'flame-body' }, scroll);
  const element = h('div', { class: 'flame' }, h('div', { class: 'flame-bar' }, field, found, reset, path), body);
  return { element, search: field, found, reset, path, body, scroll, canvas, tip };
}

/** The way from the root to the focused function, each step a way back. */
function crumbs(tree: FlameTree, focus: number, focusOn: (index: number) => void): HTMLElement[] {
  return pathTo(tree, focus).map((node) =>
    h(
      'button',
      {
        type: 'button',
        title: node.label,
        'aria-current': node.index === focus ? 'true' : undefined,
        onclick: () => focusOn(node.index),
      },
      shortLabel(node.label),
    ),
  );
}

function placeTip({ tip, scroll }: Parts, { x, y }: { x: number; y: number }): void {
  const left = Math.min(x + 14, scroll.clientWidth - tip.offsetWidth - 6);
  const below = y + 14;
  const fits = below + tip.offsetHeight <= scroll.scrollTop + scroll.clientHeight;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${fits ? below : Math.max(scroll.scrollTop, y - tip.offsetHeight - ROW_PX)}px`;
}

function bindPointer(
  { canvas, scroll }: Parts,
  boxes: () => readonly Box[],
  mark: (index: number, at?: { x: number; y: number }) => void,
  focusOn: (index: number) => void,
): void {
  const under = (event: MouseEvent) => {
    const level = Math.floor(event.offsetY / ROW_PX);
    return boxes().find(
      ({ node, left, width }) => node.level === level && event.offsetX >= left && event.offsetX < left + width,
    );
  };
  canvas.addEventListener('pointermove', (event) =>
    mark(under(event)?.node.index ?? -1, { x: event.offsetX, y: event.offsetY }),
  );
  scroll.addEventListener('pointerleave', () => mark(-1));
  canvas.addEventListener('click', (event) => {
    const box = under(event);
    if (box !== undefined) focusOn(box.node.index);
  });
}

function bindKeyboard(
  { scroll }: Parts,
  state: () => { tree: FlameTree; boxes: readonly Box[]; marked: number; focus: number },
  mark: (index: number) => void,
  focusOn: (index: number) => void,
): void {
  scroll.addEventListener('keydown', (event) => {
    const { tree, boxes, marked, focus } = state();
    const shown = boxes.map(({ node }) => node);
    const next = moved(shown, marked, event.key);
    if (next !== undefined) {
      mark(next);
      const level = tree.nodes[next]?.level ?? 0;
      const top = level * ROW_PX;
      if (top < scroll.scrollTop) scroll.scrollTop = top;
      else if (top + 6 * ROW_PX > scroll.scrollTop + scroll.clientHeight)
        scroll.scrollTop = top + 6 * ROW_PX - scroll.clientHeight;
    } else if (event.key === 'Enter' && marked >= 0) focusOn(marked);
    else if (event.key === 'Escape' && (focus >= 0 || marked >= 0)) focusOn(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  scroll.addEventListener('blur', () => mark(-1));
}
