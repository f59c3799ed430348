/** The page: reads the address, draws the board it names, and keeps address and board in step. */
import type { Board } from '../../shared/model.ts';
import { parseTime } from '../../shared/time-math.ts';
import { type Annotations, createAnnotations } from './annotations.ts';
import { ApiError, api, type BoardSummary, type Scope } from './api.ts';
import { type BoardView, createBoardView } from './board-view.ts';
import { h } from './dom.ts';
import { createHeader, relatedLinks } from './header.ts';
import { bindKeys } from './help.ts';
import type { LoadOutcome, PanelFrame } from './panel.ts';
import { createRefresher, refreshMs } from './refresher.ts';
import { createStatus } from './status.ts';
import { toggleTheme } from './theme.ts';
import { formatLocation, type Location, parseLocation } from './url.ts';
import { createVariables, type Variables } from './variables.ts';

const RETRY_MS = 5_000;
const TICK_MS = 1_000;
const MIN_RANGE_MS = 60_000;

let here: Location = parseLocation(location.pathname, location.search) ?? emptyLocation();
let boards: BoardSummary[] = [];
let board: Board | undefined;
let view: BoardView | undefined;
let variables: Variables | undefined;
let annotations: Annotations | undefined;
let resolving: AbortController | undefined;

const status = createStatus();
const refresher = createRefresher(() => void refresh());
const actions = {
  refresh: () => void refresh(),
  timeRange: () => header.time.open(),
  search: () => variables?.controls[0]?.open(),
  shift: (direction: -1 | 1) =>
    moveRange((from, to) => [from + (direction * (to - from)) / 2, to + (direction * (to - from)) / 2]),
  scale: (factor: number) =>
    moveRange((from, to) => {
      const [middle, half] = [(from + to) / 2, ((to - from) * factor) / 2];
      return [middle - half, middle + half];
    }),
  theme: () => {
    toggleTheme();
    view?.redraw();
  },
};
const header = createHeader({
  ...actions,
  chooseRange: (from, to) => navigate({ from, to }),
  chooseRefresh: (every) => navigate({ refresh: every }),
  boardHref: (uid) => formatLocation({ ...here, ...range(), uid }),
});
document.body.append(
  h('a', { class: 'skip', href: '#board' }, 'Skip to the board'),
  header.element,
  status.banner,
  header.links,
  h('main'),
  status.element,
);
bindKeys(actions);
document.addEventListener('click', followLink);
addEventListener('popstate', () => void open(parseLocation(location.pathname, location.search) ?? emptyLocation()));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => view?.redraw());
setInterval(status.tick, TICK_MS);
void open(here);

function emptyLocation(): Location {
  return { uid: '', from: undefined, to: undefined, refresh: undefined, values: new Map() };
}

function range(): { from: string; to: string } {
  return { from: here.from ?? board?.time.from ?? 'now-1h', to: here.to ?? board?.time.to ?? 'now' };
}

function scope(): Scope {
  return { ...range(), values: here.values };
}

/** Shows a location; the board is built anew only when it is another one. */
async function open(next: Location): Promise<void> {
  here = next;
  try {
    if (boards.length === 0) boards = await api.boards();
    if (board?.uid !== next.uid) await build(next.uid);
  } catch (error) {
    showProblem(error);
    return;
  }
  const every = here.refresh ?? board?.refresh ?? '';
  header.set(board, boards, range().from, range().to, every);
  refresher.set(refreshMs(every));
  await refresh();
}

async function build(uid: string): Promise<void> {
  const next = await api.board(uid);
  view?.destroy();
  board = next;
  document.title = `${board.title} · Heliograph`;
  variables = createVariables(board, (changed) => navigate({ values: new Map([...here.values, ...changed]) }));
  annotations = createAnnotations(board);
  header.variables.replaceChildren(...variables.controls.map((control) => control.element), ...annotations.controls);
  view = createBoardView(board, { zoom: zoomTo, reload: (frames) => void load(frames) });
  mount(view.element);
}

function mount(main: HTMLElement): void {
  document.querySelector('main')?.replaceWith(main);
}

/** Reads the options, then every panel in sight. */
async function refresh(): Promise<void> {
  if (view === undefined || variables === undefined) return open(here);
  resolving?.abort();
  const mine = new AbortController();
  resolving = mine;
  header.variables.setAttribute('aria-busy', 'true');
  try {
    const values = await variables.resolve(scope(), mine.signal);
    if (mine.signal.aborted) return;
    here = { ...here, values };
    history.replaceState(null, '', formatLocation(here));
  } catch {
    // The panels ask for the same store and say what is wrong, each in its place.
    if (mine.signal.aborted) return;
  }
  header.links.replaceChildren(...relatedLinks(board?.links ?? [], scope()));
  const loading = Promise.all([load(view.visible()), annotations?.load(scope(), mine.signal)]);
  header.variables.removeAttribute('aria-busy');
  await loading;
}

async function load(frames: readonly PanelFrame[]): Promise<void> {
  const loaded = await Promise.all(frames.map((frame) => frame.load(scope())));
  const outcomes = loaded.filter((outcome): outcome is LoadOutcome => outcome !== undefined);
  if (outcomes.length === 0) return;
  const down = outcomes.every((outcome) => 'error' in outcome);
  const every = refreshMs(here.refresh ?? board?.refresh ?? '');
  const retryMs = down ? Math.min(RETRY_MS, every ?? RETRY_MS) : every;
  status.report(outcomes, down ? retryMs : undefined);
  refresher.set(retryMs);
}

/** Changes the address and follows it. */
function navigate(change: Partial<Location>): void {
  const next = { ...here, ...change };
  history.pushState(null, '', formatLocation(next));
  void open(next);
}

function zoomTo(fromMs: number, toMs: number): void {
  navigate({ from: String(Math.round(Math.max(0, fromMs))), to: String(Math.round(toMs)) });
}

function moveRange(move: (fromMs: number, toMs: number) => [number, number]): void {
  const nowMs = Date.now();
  const [fromMs, toMs] = [parseTime(range().from, nowMs), parseTime(range().to, nowMs, true)];
  if (fromMs === undefined || toMs === undefined) return;
  const [nextFrom, nextTo] = move(fromMs, toMs);
  if (nextTo - nextFrom >= MIN_RANGE_MS) zoomTo(nextFrom, nextTo);
}

/** Links between boards change the address without loading the page again. */
function followLink(event: MouseEvent): void {
  const link = (event.target as Element).closest('a');
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (link === null || !plain || link.origin !== location.origin) return;
  const next = parseLocation(link.pathname, link.search);
  if (next === undefined) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  scrollTo(0, 0);
  void open({ ...next, refresh: next.refresh ?? here.refresh });
}

function showProblem(error: unknown): void {
  const failure = error instanceof ApiError ? error : new ApiError('internal', String(error));
  const missing = failure.code === 'not_found';
  header.set(board, boards, range().from, range().to, '');
  view?.destroy();
  view = undefined;
  board = undefined;
  variables = undefined;
  annotations = undefined;
  header.variables.replaceChildren();
  header.links.replaceChildren();
  const links = boards.map(({ uid, title }) => h('li', {}, h('a', { href: `/d/${encodeURIComponent(uid)}` }, title)));
  const text = missing ? 'There is no board at this address. These are the boards:' : failure.message;
  const retry = h('button', { type: 'button', class: 'retry', onclick: () => void open(here) }, 'Retry');
  const page = h(
    'main',
    { class: 'board problem-page', id: 'board' },
    h('p', {}, text),
    missing ? h('ul', {}, ...links) : retry,
  );
  mount(page);
  refresher.set(missing ? undefined : RETRY_MS);
}
