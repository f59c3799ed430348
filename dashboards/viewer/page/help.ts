/** The keyboard: what each key does, and the sheet that says so. */
import { h } from './dom.ts';

export interface Actions {
  refresh(): void;
  timeRange(): void;
  search(): void;
  /** Moves the range by half its width, -1 back or 1 forward. */
  shift(direction: -1 | 1): void;
  /** Widens the range to twice its width, or halves it. */
  scale(factor: number): void;
  theme(): void;
}

interface Shortcut {
  keys: readonly string[];
  shown: string;
  text: string;
  run: (actions: Actions) => void;
}

const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['r'], shown: 'r', text: 'Refresh', run: (actions) => actions.refresh() },
  { keys: ['t'], shown: 't', text: 'Choose the time range', run: (actions) => actions.timeRange() },
  { keys: ['/'], shown: '/', text: 'Search the first variable', run: (actions) => actions.search() },
  { keys: ['ArrowLeft'], shown: '←', text: 'Earlier by half the range', run: (actions) => actions.shift(-1) },
  { keys: ['ArrowRight'], shown: '→', text: 'Later by half the range', run: (actions) => actions.shift(1) },
  { keys: ['-', 'z'], shown: '- or z', text: 'Zoom out', run: (actions) => actions.scale(2) },
  { keys: ['+', '='], shown: '+', text: 'Zoom in', run: (actions) => actions.scale(0.5) },
  { keys: ['d'], shown: 'd', text: 'Light or dark', run: (actions) => actions.theme() },
  { keys: ['?'], shown: '?', text: 'This sheet', run: () => toggleSheet() },
];

/** Listens on the document. Keys typed into fields, and scrolling inside a table, stay what they are. */
export function bindKeys(actions: Actions): void {
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, select, textarea, .popover') !== null)
      return;
    if (event.key.startsWith('Arrow') && target.closest('.rows-scroll, dialog') !== null) return;
    const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(event.key));
    if (shortcut === undefined) return;
    event.preventDefault();
    shortcut.run(actions);
  });
}

let sheet: HTMLDialogElement | undefined;

/** Opens or closes the sheet. Escape closes it, as it does every dialog. */
export function toggleSheet(): void {
  if (sheet === undefined) {
    const rows = SHORTCUTS.map(({ shown, text }) =>
      h('tr', {}, h('th', { scope: 'row' }, h('kbd', {}, shown)), h('td', {}, text)),
    );
    const escape = h('tr', {}, h('th', { scope: 'row' }, h('kbd', {}, 'Esc')), h('td', {}, 'Close what is open'));
    const close = h('button', { type: 'button', class: 'primary', onclick: () => sheet?.close() }, 'Close');
    sheet = h(
      'dialog',
      { class: 'sheet', 'aria-label': 'Keyboard' },
      h('h2', {}, 'Keyboard'),
      h('table', {}, ...rows, escape),
      close,
    );
    document.body.append(sheet);
  }
  if (sheet.open) sheet.close();
  else sheet.showModal();
}
