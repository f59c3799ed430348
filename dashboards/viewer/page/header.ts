/** The bar on top: name, boards, time, refresh, theme. */
import type { Board, BoardLink } from '../../shared/model.ts';
import type { BoardSummary, Scope } from './api.ts';
import { h, icon } from './dom.ts';
import type { Actions } from './help.ts';
import { toggleSheet } from './help.ts';
import { fillTemplate } from './links.ts';
import { createPopover } from './popover.ts';
import { createTimePicker, type TimePicker } from './time-picker.ts';

export const REFRESH_CHOICES = ['', '5s', '10s', '30s', '1m', '5m'] as const;

export interface HeaderDeps extends Actions {
  chooseRange(from: string, to: string): void;
  chooseRefresh(every: string): void;
  /** Address of another board with this one's time and variables. */
  boardHref(uid: string): string;
}

export interface Header {
  element: HTMLElement;
  time: TimePicker;
  /** Where the variables stand. */
  variables: HTMLElement;
  /** Where the links to boards that tell more stand. */
  links: HTMLElement;
  set(board: Board | undefined, boards: readonly BoardSummary[], from: string, to: string, refresh: string): void;
}

/** Builds the bar. */
export function createHeader(deps: HeaderDeps): Header {
  const time = createTimePicker(deps.chooseRange);
  const switcher = createSwitcher(deps);
  const every = createRefreshSelect(deps);
  const variables = h('div', { class: 'variables' });
  const links = h('nav', { class: 'more', 'aria-label': 'Related boards' });
  const element = h(
    'header',
    { class: 'bar' },
    h('a', { class: 'brand', href: '/', 'aria-label': 'Heliograph, first board' }, mark(), h('span', {}, 'Heliograph')),
    switcher.element,
    variables,
    h('div', { class: 'spacer' }),
    h(
      'div',
      { class: 'group' },
      iconButton('Earlier (←)', 'M10 3.5L5.5 8l4.5 4.5', () => deps.shift(-1)),
      time.element,
      iconButton('Later (→)', 'M6 3.5L10.5 8L6 12.5', () => deps.shift(1)),
      iconButton('Zoom out (-)', 'M4.5 7h5M10.6 10.6L14 14M12 7a5 5 0 1 1-10 0a5 5 0 1 1 10 0z', () => deps.scale(2)),
    ),
    h(
      'div',
      { class: 'group' },
      iconButton('Refresh (r)', 'M13.5 8a5.5 5.5 0 1 1-1.6-3.9M13.5 2v3h-3', deps.refresh),
      every,
    ),
    h(
      'div',
      { class: 'group' },
      iconButton('Light or dark (d)', 'M8 1.5a6.5 6.5 0 1 0 0 13zM8 1.5a6.5 6.5 0 1 1 0 13', deps.theme),
      iconButton('Keyboard (?)', 'M5.8 6a2.2 2.2 0 1 1 3.4 1.9c-.8.5-1.2.9-1.2 1.9M8 12v.2', toggleSheet),
    ),
  );
  return {
    element,
    time,
    variables,
    links,
    set(board, boards, from, to, refresh) {
      switcher.set(board, boards);
      time.set(from, to);
      every.value = (REFRESH_CHOICES as readonly string[]).includes(refresh) ? refresh : '';
    },
  };
}

function createSwitcher(deps: HeaderDeps) {
  const title = h('span', { class: 'control-value' });
  const button = h(
    'button',
    { type: 'button', class: 'field board-switch', 'aria-haspopup': 'dialog', 'aria-label': 'Board' },
    title,
    icon('M4 6.5l4 4l4-4'),
  );
  let boards: readonly BoardSummary[] = [];
  let current: string | undefined;
  const { element } = createPopover(button, (box) => {
    const links = boards.map(({ uid, title: name }) =>
      h('a', { href: deps.boardHref(uid), 'aria-current': uid === current ? 'page' : undefined }, name),
    );
    box.replaceChildren(h('nav', { class: 'boards', 'aria-label': 'Boards' }, ...links));
    return links[0];
  });
  const set = (board: Board | undefined, known: readonly BoardSummary[]) => {
    boards = known;
    current = board?.uid;
    title.textContent = board?.title ?? 'Boards';
  };
  return { element, set };
}

function createRefreshSelect(deps: HeaderDeps): HTMLSelectElement {
  const changed = (event: Event) => deps.chooseRefresh((event.target as HTMLSelectElement).value);
  return h(
    'select',
    { 'aria-label': 'Refresh every', title: 'Refresh every', onchange: changed },
    ...REFRESH_CHOICES.map((choice) => h('option', { value: choice }, choice === '' ? 'Off' : choice)),
  );
}

function iconButton(label: string, path: string, run: () => void): HTMLElement {
  return h(
    'button',
    { type: 'button', class: 'icon-button', title: label, 'aria-label': label, onclick: run },
    icon(path),
  );
}

/** The mark: the sun over a tilted mirror that sends it on. */
function mark(): SVGSVGElement {
  const svg = icon('M1.5 14.5L8.5 7.5M11 1v1.2M15 5h-1.2M13.9 2.1l-.9.9M5 11l9.5 2.5');
  svg.setAttribute('class', 'mark');
  const sun = document.createElementNS(svg.namespaceURI ?? '', 'circle') as SVGCircleElement;
  for (const [name, value] of Object.entries({ cx: '10.3', cy: '5.7', r: '2.3' })) sun.setAttribute(name, value);
  svg.append(sun);
  return svg;
}

/** A board's own links to others, with its time and variables filled in. */
export function relatedLinks(links: readonly BoardLink[], scope: Scope): HTMLElement[] {
  return links
    .filter(({ type, url }) => type === 'link' && url !== undefined)
    .map(({ title, url = '' }) => h('a', { href: fillTemplate(url, { ...scope, fields: {} }) }, title));
}
