/** A board on the page: sections under their rows, panels on Grafana's grid of 24 columns. */
import type { Board, Panel } from '../../shared/model.ts';
import { h, icon } from './dom.ts';
import { createPanel, type PanelFrame } from './panel.ts';

export interface BoardView {
  element: HTMLElement;
  /** Panels that can be seen: those of closed rows wait until the row opens. */
  visible(): PanelFrame[];
  redraw(): void;
  destroy(): void;
}

interface BoardDeps {
  zoom(fromMs: number, toMs: number): void;
  /** Loads these panels. */
  reload(frames: readonly PanelFrame[]): void;
}

interface Section {
  row: Panel | undefined;
  panels: Panel[];
}

/** Builds all sections; nothing is fetched. */
export function createBoardView(board: Board, deps: BoardDeps): BoardView {
  const sections = sectionsOf(board).map((section) => createSection(board.uid, section, deps));
  const visible = () => sections.flatMap((section) => (section.open() ? section.frames : []));
  const redraw = () => {
    for (const frame of visible()) frame.redraw();
  };
  let width = 0;
  let pending = 0;
  const observer = new ResizeObserver(() => {
    // Heights come from the grid, never from what is drawn: only another width calls for another drawing.
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(redraw);
  });
  const element: HTMLElement = h(
    'main',
    { class: 'board', id: 'board' },
    ...sections.map((section) => section.element),
  );
  observer.observe(element);
  const destroy = () => {
    observer.disconnect();
    for (const section of sections) for (const frame of section.frames) frame.destroy();
  };
  return { element, visible, redraw, destroy };
}

function sectionsOf(board: Board): Section[] {
  const sections: Section[] = [{ row: undefined, panels: [] }];
  for (const panel of board.panels) {
    if (panel.type === 'row') sections.push({ row: panel, panels: [...(panel.panels ?? [])] });
    else sections.at(-1)?.panels.push(panel);
  }
  return sections.filter((section) => section.panels.length > 0);
}

function createSection(uid: string, { row, panels }: Section, deps: BoardDeps) {
  const frames: PanelFrame[] = panels.map((panel) => {
    const frame: PanelFrame = createPanel(panel, { uid, zoom: deps.zoom, retry: () => deps.reload([frame]) });
    return frame;
  });
  const grid = h('div', { class: 'grid' }, ...frames.map((frame) => frame.element));
  // The grid starts at the section's first line, wherever the board's own numbering has put it.
  grid.style.setProperty('--top', String(Math.min(...panels.map((panel) => panel.gridPos.y))));
  if (row === undefined) return { element: h('section', {}, grid), frames, open: () => true };

  let open = row.collapsed !== true;
  const button = h('button', { type: 'button', class: 'row-title' }, icon('M4 6.5l4 4l4-4'), row.title);
  const apply = () => {
    grid.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
  };
  button.addEventListener('click', () => {
    open = !open;
    apply();
    if (open) deps.reload(frames);
  });
  apply();
  return { element: h('section', {}, h('h2', { class: 'row' }, button), grid), frames, open: () => open };
}
