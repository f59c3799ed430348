/** Rows, sortable by any column, with links to other boards. */
import { h } from './dom.ts';
import { fieldOptions, mappedColor, namedColor, thresholdColor } from './fields.ts';
import type { FieldOptions } from '../../shared/model.ts';
import { type ColumnKind, columnKind, type PanelData, timeMs } from './frames.ts';
import { fillTemplate } from './links.ts';
import type { RenderContext, RendererFactory } from './renderer.ts';
import { formatText, localTime } from './units.ts';

interface TableColumn {
  name: string;
  index: number;
  kind: ColumnKind;
  options: FieldOptions;
}

interface Sorting {
  column: string;
  descending: boolean;
}

export const tablePanel: RendererFactory = (host) => {
  const table = h('table', { class: 'rows' });
  host.append(h('div', { class: 'rows-scroll', tabindex: 0, role: 'region', 'aria-label': 'Table' }, table));
  let sorting: Sorting | undefined;
  let redraw: () => void = () => undefined;

  const draw = (data: PanelData, context: RenderContext): boolean => {
    const target = data.targets[0];
    if (target === undefined || target.rows.length === 0) {
      table.replaceChildren();
      return false;
    }
    const columns = target.columns.map((column, index) => ({
      name: column.name,
      index,
      kind: columnKind(column.type),
      options: fieldOptions(context.panel, column.name),
    }));
    const loose = columns.filter(({ options }) => options.custom?.['width'] === undefined);
    table.classList.toggle('has-rest', loose.length === 1);
    redraw = () => {
      const rows = sorted(target.rows, columns, sorting);
      const sort = (column: TableColumn) => {
        const descending = sorting?.column === column.name ? !sorting.descending : column.kind !== 'string';
        sorting = { column: column.name, descending };
        redraw();
        table.querySelector<HTMLElement>(`[data-column="${CSS.escape(column.name)}"]`)?.focus();
      };
      table.replaceChildren(
        h('thead', {}, h('tr', {}, ...columns.map((column) => headOf(column, sorting, sort)))),
        h(
          'tbody',
          {},
          ...rows.map((row) => h('tr', {}, ...columns.map((column) => cellOf(row, column, columns, context)))),
        ),
      );
    };
    redraw();
    return true;
  };
  return { draw, destroy: () => undefined };
};

function headOf(column: TableColumn, sorting: Sorting | undefined, sort: (column: TableColumn) => void): HTMLElement {
  const active = sorting?.column === column.name;
  const order = active ? (sorting?.descending === true ? 'descending' : 'ascending') : 'none';
  const button = h(
    'button',
    { type: 'button', 'data-column': column.name, onclick: () => sort(column) },
    column.options.displayName ?? column.name,
    h('span', { class: 'sort', 'aria-hidden': 'true' }, active ? (order === 'descending' ? '↓' : '↑') : ''),
  );
  const cell = h('th', { scope: 'col', 'aria-sort': order, class: alignment(column) }, button);
  const width = column.options.custom?.['width'];
  if (typeof width === 'number') cell.style.width = `${width}px`;
  return cell;
}

function isWrapped({ options }: TableColumn): boolean {
  const cell = options.custom?.['cellOptions'] as { wrapText?: boolean } | undefined;
  return cell?.wrapText === true;
}

function alignment({ kind, options }: TableColumn): string {
  const align = options.custom?.['align'];
  if (align === 'left' || align === 'right') return align;
  return kind === 'number' ? 'right' : 'left';
}

function cellOf(
  row: readonly unknown[],
  column: TableColumn,
  columns: readonly TableColumn[],
  context: RenderContext,
): HTMLElement {
  const cell = row[column.index];
  const text = cellText(cell, column);
  const link = column.options.links?.[0];
  const fields = () => Object.fromEntries(columns.map(({ name, index }) => [name, row[index]]));
  const template = (value: string) => fillTemplate(value, { ...context.scope, fields: fields() });
  const element =
    link === undefined || cell === ''
      ? h('td', { class: alignment(column), title: text }, text)
      : h(
          'td',
          { class: alignment(column), title: text },
          h('a', { href: template(link.url), title: template(link.title) }, text),
        );
  if (column.options.custom?.['width'] !== undefined) element.classList.add('sized');
  if (isWrapped(column)) element.classList.add('wrap');
  const color = typeof cell === 'number' ? thresholdColor(column.options, cell) : mappedColor(column.options, text);
  if (color !== undefined && color !== 'text') element.style.color = namedColor(color);
  if (/_id$/.test(column.name)) element.classList.add('mono');
  return element;
}

function cellText(cell: unknown, { kind, options }: TableColumn): string {
  if (cell === null || cell === undefined) return options.noValue ?? '';
  if (kind === 'time') {
    const ms = timeMs(cell);
    if (ms === null) return '';
    return options.unit === 'dateTimeFromNow' ? formatText(options.unit, ms) : localTime(ms);
  }
  return typeof cell === 'number' ? formatText(options.unit, cell, options.decimals) : String(cell);
}

function sorted(
  rows: readonly unknown[][],
  columns: readonly TableColumn[],
  sorting: Sorting | undefined,
): unknown[][] {
  const column = columns.find(({ name }) => name === sorting?.column);
  if (column === undefined || sorting === undefined) return [...rows];
  const sign = sorting.descending ? -1 : 1;
  return rows.toSorted((left, right) => {
    const [a, b] = [left[column.index], right[column.index]];
    // What is unknown stands last, whichever way the rest is sorted.
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * String(a).localeCompare(String(b));
  });
}
