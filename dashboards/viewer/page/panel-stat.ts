/** One figure, coloured by its threshold, with the row's name beside it where the board asks for it. */
import { h } from './dom.ts';
import { fieldOptions, namedColor, thresholdColor } from './fields.ts';
import { columnKind, type PanelData } from './frames.ts';
import type { RenderContext, RendererFactory } from './renderer.ts';
import { formatValue } from './units.ts';

export const statPanel: RendererFactory = (host) => {
  const value = h('div', { class: 'stat-value' });
  const name = h('div', { class: 'stat-name' });
  host.append(h('div', { class: 'stat' }, value, name));

  const draw = (data: PanelData, context: RenderContext): boolean => {
    const target = data.targets[0];
    const row = target?.rows.at(-1);
    const index = target?.columns.findIndex((column) => columnKind(column.type) === 'number') ?? -1;
    const number = row?.[index];
    const drawable = target !== undefined && row !== undefined && typeof number === 'number';
    if (!drawable) return false;
    const options = fieldOptions(context.panel, target.columns[index]?.name ?? '');
    const { text, suffix } = formatValue(options.unit, number, options.decimals);
    value.replaceChildren(text, h('small', {}, suffix));
    value.style.color = namedColor(thresholdColor(options, number) ?? 'text');
    const labelled = context.panel.options?.['textMode'] === 'value_and_name';
    const label = target.columns.findIndex((column) => columnKind(column.type) === 'string');
    name.textContent = labelled && label >= 0 ? String(row[label]) : '';
    name.title = name.textContent;
    return true;
  };
  return { draw, destroy: () => undefined };
};
