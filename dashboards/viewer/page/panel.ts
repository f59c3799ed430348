/** The frame around a panel: title, what it means, and its four states: loading, drawn, empty, failed. */
import type { Panel } from '../../shared/model.ts';
import { ApiError, api, type Scope } from './api.ts';
import { h, icon } from './dom.ts';
import type { PanelData, PanelMeta } from './frames.ts';
import { flamegraphPanel } from './panel-flamegraph.ts';
import { heatmapPanel } from './panel-heatmap.ts';
import { statPanel } from './panel-stat.ts';
import { tablePanel } from './panel-table.ts';
import { textPanel } from './panel-text.ts';
import { timeseriesPanel } from './panel-timeseries.ts';
import type { RenderContext, RendererFactory } from './renderer.ts';
import { formatText } from './units.ts';

const RENDERERS: Readonly<Record<string, RendererFactory>> = {
  timeseries: timeseriesPanel,
  stat: statPanel,
  table: tablePanel,
  heatmap: heatmapPanel,
  flamegraph: flamegraphPanel,
  text: textPanel,
};

export type LoadOutcome = { meta: PanelMeta } | { error: ApiError };

export interface PanelFrame {
  element: HTMLElement;
  /** Fetches and draws. Undefined when a newer load took its place. */
  load(scope: Scope): Promise<LoadOutcome | undefined>;
  /** Draws the last answer again: the theme or the size has changed. */
  redraw(): void;
  destroy(): void;
}

interface FrameDeps {
  uid: string;
  zoom: RenderContext['zoom'];
  /** Called by the retry button. */
  retry(): void;
}

/** What a panel without a query is drawn from. */
const NOTHING: PanelData = {
  targets: [],
  meta: { from: 0, to: 0, stepSeconds: 0, tookMs: 0, n: null, counted: '', coverage: null, asOf: null },
};

/** Pixels per point: finer buckets than this cannot be told apart. */
const POINT_PX = 3;

/** Builds the frame; nothing is fetched before `load`. */
export function createPanel(panel: Panel, deps: FrameDeps): PanelFrame {
  const body = h('div', { class: 'panel-body' });
  const message = h('div', { class: 'panel-message', hidden: true });
  const tip = h('div', { class: 'tip', id: `tip-${panel.id}`, role: 'tooltip' });
  const element = frameElement(panel, body, message, tip);
  const renderer = Object.hasOwn(RENDERERS, panel.type) ? RENDERERS[panel.type]?.(body) : undefined;
  let last: { data: PanelData; scope: Scope } | undefined;
  let running: AbortController | undefined;

  const show = (state: 'loading' | 'drawn' | 'empty' | 'failed' | 'foreign', ...content: (Node | string)[]) => {
    element.dataset['state'] = state;
    message.hidden = content.length === 0;
    message.replaceChildren(...content);
  };
  const redraw = () => {
    if (last === undefined || renderer === undefined) return;
    const drawn = renderer.draw(last.data, { panel, scope: last.scope, zoom: deps.zoom });
    if (drawn) show('drawn');
    else {
      const text = emptyText(panel, last.data);
      show('empty', h('p', { title: text }, text));
    }
  };
  const load = async (scope: Scope): Promise<LoadOutcome | undefined> => {
    if (renderer === undefined) {
      show(
        'foreign',
        h('p', {}, `This page does not draw ${panel.type} panels. Open this board in Grafana to see it.`),
      );
      return undefined;
    }
    if (panel.targets === undefined) {
      renderer.draw(NOTHING, { panel, scope, zoom: deps.zoom });
      show('drawn');
      return undefined;
    }
    running?.abort();
    const mine = new AbortController();
    running = mine;
    element.setAttribute('aria-busy', 'true');
    try {
      const points = Math.max(60, Math.floor(element.clientWidth / POINT_PX));
      const data = await api.panel(deps.uid, panel.id, scope, Math.min(points, 1_000), mine.signal);
      if (running !== mine) return undefined;
      last = { data, scope };
      tip.replaceChildren(...describe(panel, data));
      redraw();
      return { meta: data.meta };
    } catch (error) {
      if (mine.signal.aborted) return undefined;
      const failure = error instanceof ApiError ? error : new ApiError('internal', String(error));
      // What was drawn for this very scope may stay, dimmed; anything else would pass for what was asked.
      element.toggleAttribute('data-stale', last !== undefined && sameScope(last.scope, scope));
      show('failed', ...failureContent(failure.message, deps.retry));
      return { error: failure };
    } finally {
      if (running === mine) element.removeAttribute('aria-busy');
    }
  };
  tip.replaceChildren(...describe(panel));
  show('loading');
  const destroy = () => {
    running?.abort();
    renderer?.destroy();
  };
  return { element, load, redraw, destroy };
}

function frameElement(panel: Panel, body: HTMLElement, message: HTMLElement, tip: HTMLElement): HTMLElement {
  const about = h(
    'button',
    { type: 'button', class: 'about', 'aria-label': `About ${panel.title}`, 'aria-describedby': tip.id },
    icon('M8 7v4.5M8 4.4v.2M14.5 8a6.5 6.5 0 1 1-13 0a6.5 6.5 0 1 1 13 0z'),
  );
  const header = h('header', {}, h('h3', { title: panel.title }, panel.title), about, tip);
  const element = h(
    'section',
    {
      class: `panel panel-${panel.type} ${widthClass(panel.gridPos.w)}`,
      'aria-label': panel.title,
      'data-panel': panel.id,
    },
    h('div', { class: 'progress' }),
    header,
    body,
    message,
  );
  for (const [name, value] of Object.entries(panel.gridPos)) element.style.setProperty(`--${name}`, String(value));
  return element;
}

function widthClass(columns: number): string {
  if (columns <= 6) return 'narrow';
  return columns <= 12 ? 'half' : 'full';
}

/** Why there is nothing: no row, or rows of which every figure is unknown. */
function emptyText(panel: Panel, { targets }: PanelData): string {
  if (panel.type === 'timeseries' && (targets[0]?.rows.length ?? 0) > 0)
    return `Nothing of this is known in this range, though there are data. ${panel.description ?? ''}`;
  return panel.fieldConfig?.defaults.noValue ?? 'No data in this range.';
}

function failureContent(text: string, retry: () => void): HTMLElement[] {
  const button = h('button', { type: 'button', class: 'retry', onclick: retry }, 'Retry');
  return [h('p', { title: text }, text), button];
}

function sameScope(a: Scope, b: Scope): boolean {
  return a.from === b.from && a.to === b.to && JSON.stringify([...a.values]) === JSON.stringify([...b.values]);
}

function describe(panel: Panel, data?: PanelData): HTMLElement[] {
  const parts = [h('p', {}, panel.description ?? '')];
  if (data === undefined) return parts;
  const { n, counted, coverage, stepSeconds } = data.meta;
  const facts = [
    n === null ? '' : `Computed from ${formatText('locale', n)} ${counted}.`,
    coverage === null
      ? 'Coverage of this range is unknown.'
      : `Received in ${formatText('percentunit', coverage)} of this range.`,
    panel.interval === undefined ? '' : `One point is ${formatText('s', stepSeconds)}.`,
    data.targets.some((target) => target.truncated) ? 'The result was cut off: narrow the range.' : '',
  ];
  return [...parts, h('p', { class: 'facts' }, facts.filter((fact) => fact !== '').join(' '))];
}
