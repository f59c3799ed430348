/** The few lines that stand in for a framework. Text is always set as text: nothing here parses HTML. */

type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

/** An element: attributes by name, `on…` as listeners, booleans as presence, undefined left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A 16-pixel line icon from one path. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

let probe: HTMLElement | undefined;

/** Colour that a CSS custom property of the page has in the current theme, as `rgb(r, g, b)`: canvases know no variables. */
export function cssColor(name: string): string {
  if (probe === undefined) {
    probe = h('span', { hidden: true });
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

/** Closes what was opened: runs `close` on a press outside `element` and on Escape. Returns the way to stop listening. */
export function onDismiss(element: HTMLElement, close: (byKey: boolean) => void): () => void {
  const press = (event: Event) => {
    if (!element.contains(event.target as Node)) close(false);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close(true);
  };
  document.addEventListener('pointerdown', press);
  document.addEventListener('keydown', key, true);
  return () => {
    document.removeEventListener('pointerdown', press);
    document.removeEventListener('keydown', key, true);
  };
}
