/** A button that opens a box beneath it. */
import { h, onDismiss } from './dom.ts';

export interface Popover {
  element: HTMLElement;
  button: HTMLButtonElement;
  open(): void;
  /** Closes; `refocus` gives the focus back to the button. */
  close(refocus: boolean): void;
}

/** `fill` builds the box anew at every opening and returns what to focus; `closed` runs after each closing. */
export function createPopover(
  button: HTMLButtonElement,
  fill: (box: HTMLElement) => HTMLElement | undefined,
  closed: () => void = () => undefined,
): Popover {
  const box = h('div', { class: 'popover', hidden: true });
  const element = h('div', { class: 'control' }, button, box);
  let stop: (() => void) | undefined;
  const close = (refocus: boolean) => {
    if (stop === undefined) return;
    stop();
    stop = undefined;
    box.hidden = true;
    box.replaceChildren();
    button.setAttribute('aria-expanded', 'false');
    if (refocus) button.focus();
    closed();
  };
  const open = () => {
    if (stop !== undefined) return;
    stop = onDismiss(element, close);
    button.setAttribute('aria-expanded', 'true');
    const focus = fill(box);
    box.hidden = false;
    keepInside(box);
    focus?.focus();
  };
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => (stop === undefined ? open() : close(true)));
  return { element, button, open, close };
}

function keepInside(box: HTMLElement): void {
  box.style.left = '0';
  const over = box.getBoundingClientRect().right - (document.documentElement.clientWidth - 8);
  if (over > 0) box.style.left = `${-over}px`;
}
