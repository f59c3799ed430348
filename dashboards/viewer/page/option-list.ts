/** The list inside a variable's dropdown: a search field, and the options that match it. */
import { ALL_VALUE, type Variable } from '../../shared/model.ts';
import { h } from './dom.ts';

export interface OptionList {
  search: HTMLInputElement;
  element: HTMLElement;
  /** Shows other options: a refresh has brought them while the list is open. */
  offer(options: readonly string[]): void;
}

/** Long lists are searched, not scrolled. */
const MAX_SHOWN = 200;

/** Builds the list. `pick` is called with an option and returns what is chosen from then on. */
export function createOptionList(
  variable: Variable,
  title: string,
  offered: readonly string[],
  chosen: readonly string[],
  pick: (value: string) => readonly string[],
): OptionList {
  const multi = variable.multi === true;
  let options = offered;
  let selected = chosen;
  const search = h('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': `Search ${title}`,
    autocomplete: 'off',
  });
  const element = h('div', { class: 'options', role: 'listbox', 'aria-multiselectable': multi, 'aria-label': title });
  const choose = (value: string) => {
    selected = pick(value);
    render();
  };
  const render = () => {
    const focused = element.querySelector(':focus')?.getAttribute('data-value');
    const { shown, note } = matching(options, search.value.toLowerCase(), variable.includeAll === true);
    element.replaceChildren(
      ...shown.map((value) => optionOf(value, selected.includes(value), multi, () => choose(value))),
      note === '' ? '' : h('p', { class: 'note' }, note),
    );
    if (typeof focused === 'string') {
      element.querySelector<HTMLElement>(`[data-value="${CSS.escape(focused)}"]`)?.focus();
    }
  };
  const moves = (event: KeyboardEvent) =>
    moveByArrows(event, [search, ...element.querySelectorAll<HTMLElement>('[role=option]')]);
  search.addEventListener('input', render);
  search.addEventListener('keydown', (event) => {
    moves(event);
    if (event.key === 'Enter') element.querySelector<HTMLElement>('[role=option]')?.click();
  });
  element.addEventListener('keydown', moves);
  render();
  const offer = (next: readonly string[]) => {
    options = next;
    render();
  };
  return { search, element, offer };
}

function matching(options: readonly string[], wanted: string, withAll: boolean): { shown: string[]; note: string } {
  const found = options.filter((option) => option.toLowerCase().includes(wanted));
  const all = withAll && wanted === '' ? [ALL_VALUE] : [];
  const more = found.length - MAX_SHOWN;
  const nothing = found.length + all.length === 0 ? 'Nothing found' : '';
  return { shown: [...all, ...found.slice(0, MAX_SHOWN)], note: more > 0 ? `${more} more: search to narrow` : nothing };
}

function optionOf(value: string, selected: boolean, multi: boolean, pick: () => void): HTMLElement {
  const text = value === ALL_VALUE ? 'All' : value === '' ? '(empty)' : value;
  return h(
    'button',
    { type: 'button', role: 'option', 'aria-selected': String(selected), 'data-value': value, onclick: pick },
    h('span', { class: multi ? 'check' : 'check single', 'aria-hidden': 'true' }, selected ? '✓' : ''),
    h('span', {}, text),
  );
}

function moveByArrows(event: KeyboardEvent, stops: readonly HTMLElement[]): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0) return;
  const at = stops.indexOf(document.activeElement as HTMLElement);
  stops[Math.min(Math.max(at + step, 0), stops.length - 1)]?.focus();
  event.preventDefault();
}
