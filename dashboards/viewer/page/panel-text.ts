/** Prose on a board: the little of Markdown that boards use, built as elements. */
import { h } from './dom.ts';
import type { RenderContext, RendererFactory } from './renderer.ts';

export const textPanel: RendererFactory = (host) => {
  const element = h('div', { class: 'prose', tabindex: 0, role: 'region', 'aria-label': 'Text' });
  host.append(element);
  const draw = (_data: unknown, { panel }: RenderContext): boolean => {
    const content = String(panel.options?.['content'] ?? '');
    element.replaceChildren(...content.split(/\n{2,}/).map(blockOf));
    return content !== '';
  };
  return { draw, destroy: () => undefined };
};

function blockOf(block: string): HTMLElement {
  const code = /^```\w*\n([\s\S]*?)\n?```$/.exec(block.trim());
  if (code !== null) return h('pre', {}, h('code', {}, code[1] ?? ''));
  const heading = /^#{2,3} (.*)$/.exec(block);
  if (heading !== null) return h('h4', {}, ...inline(heading[1] ?? ''));
  const lines = block.split('\n');
  if (lines.every((line) => line.startsWith('- ')))
    return h('ul', {}, ...lines.map((line) => h('li', {}, ...inline(line.slice(2)))));
  return h('p', {}, ...inline(lines.join(' ')));
}

/** `**strong**` and `` `code` ``; the rest is text. */
function inline(text: string): (Node | string)[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => {
    if (part.startsWith('**')) return h('strong', {}, part.slice(2, -2));
    return part.startsWith('`') ? h('code', {}, part.slice(1, -1)) : part;
  });
}
