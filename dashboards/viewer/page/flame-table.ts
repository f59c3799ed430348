/** The functions of a flame graph as a list: by what they used themselves, or with what they called. */
import { h } from './dom.ts';
import { type FunctionTotal, shortLabel } from './flame-tree.ts';

export interface FlameTable {
  element: HTMLElement;
  /** `format` writes a value in its unit; `searched` marks the row whose function is searched for. */
  set(functions: readonly FunctionTotal[], format: (value: number) => string, searched: string): void;
}

/** What lies below has been searched for, if at all. */
const MAX_ROWS = 100;

/** Builds the list. `pick` is called with the function of a row. */
export function createFlameTable(pick: (label: string) => void): FlameTable {
  const table = h('table', { class: 'rows' });
  const element = h(
    'div',
    { class: 'flame-top rows-scroll', tabindex: 0, role: 'region', 'aria-label': 'Functions' },
    table,
  );
  let by: 'self' | 'total' = 'self';
  let redraw: () => void = () => undefined;
  const head = (key: 'self' | 'total', title: string) => {
    const sort = () => {
      by = key;
      redraw();
    };
    const mark = h('span', { class: 'sort', 'aria-hidden': 'true' }, by === key ? '↓' : '');
    return h(
      'th',
      { scope: 'col', class: 'right', 'aria-sort': by === key ? 'descending' : 'none' },
      h('button', { type: 'button', onclick: sort }, title, mark),
    );
  };
  const set: FlameTable['set'] = (functions, format, searched) => {
    redraw = () => {
      const shown = functions.toSorted((a, b) => b[by] - a[by]).slice(0, MAX_ROWS);
      const rows = shown.map(({ label, self, total }) =>
        h(
          'tr',
          { 'aria-selected': searched === label ? 'true' : undefined },
          h(
            'td',
            { title: label },
            h('button', { type: 'button', class: 'flame-name', onclick: () => pick(label) }, shortLabel(label)),
          ),
          h('td', { class: 'right' }, format(self)),
          h('td', { class: 'right' }, format(total)),
        ),
      );
      table.replaceChildren(
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, h('span', {}, 'Function')),
            head('self', 'Self'),
            head('total', 'Total'),
          ),
        ),
        h('tbody', {}, ...rows),
      );
    };
    redraw();
  };
  return { element, set };
}
