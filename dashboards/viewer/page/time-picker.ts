/** The time range: quick ranges, or any two times of Grafana's grammar. */
import { isRelative, parseTime } from '../../shared/time-math.ts';
import { h, icon } from './dom.ts';
import { createPopover, type Popover } from './popover.ts';
import { localDay, localMinute, localTime } from './units.ts';

export interface TimePicker {
  element: HTMLElement;
  open(): void;
  set(from: string, to: string): void;
}

const QUICK: readonly (readonly [string, string])[] = [
  ['now-5m', 'Last 5 minutes'],
  ['now-15m', 'Last 15 minutes'],
  ['now-30m', 'Last 30 minutes'],
  ['now-1h', 'Last 1 hour'],
  ['now-3h', 'Last 3 hours'],
  ['now-6h', 'Last 6 hours'],
  ['now-12h', 'Last 12 hours'],
  ['now-24h', 'Last 24 hours'],
  ['now-2d', 'Last 2 days'],
  ['now-7d', 'Last 7 days'],
  ['now-14d', 'Last 14 days'],
  ['now-30d', 'Last 30 days'],
  ['now-90d', 'Last 90 days'],
  ['now-1y', 'Last year'],
];

/** `Last 1 hour`, or both ends in local time. */
export function rangeLabel(from: string, to: string): string {
  const quick = QUICK.find(([value]) => value === from && to === 'now')?.[1];
  if (quick !== undefined) return quick;
  const [start, end] = [absolute(from), absolute(to)];
  if (start === undefined || end === undefined) return `${from} to ${to}`;
  const until = localDay(start) === localDay(end) ? localMinute(end) : localTime(end).slice(0, 16);
  return `${localTime(start).slice(0, 16)} to ${until}`;
}

function absolute(text: string): number | undefined {
  return isRelative(text) ? undefined : parseTime(text, Date.now());
}

/** What stands in the form's fields: relative times as they are, others in local time. */
function fieldText(text: string): string {
  const ms = absolute(text);
  return ms === undefined ? text : localTime(ms);
}

/** The inverse: local time as Unix ms, the rest as typed; undefined where it is no time. */
function fromField(text: string): string | undefined {
  const trimmed = text.trim();
  if (parseTime(trimmed, Date.now()) === undefined) return undefined;
  const local = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?$/.test(trimmed);
  if (!local) return trimmed;
  const ms = new Date(trimmed.length === 10 ? `${trimmed}T00:00` : trimmed.replace(' ', 'T')).getTime();
  return Number.isNaN(ms) ? undefined : String(ms);
}

/** Builds the control. `choose` gets both ends in URL form. */
export function createTimePicker(choose: (from: string, to: string) => void): TimePicker {
  const label = h('span', { class: 'control-value' });
  const button = h(
    'button',
    { type: 'button', class: 'field', title: 'Time range (t)', 'aria-haspopup': 'dialog', 'aria-label': 'Time range' },
    icon('M8 4.5V8l2.3 1.6M14.5 8a6.5 6.5 0 1 1-13 0a6.5 6.5 0 1 1 13 0z'),
    label,
  );
  let range: [string, string] = ['now-1h', 'now'];
  const popover: Popover = createPopover(button, (box) => {
    const pick = (from: string, to: string) => {
      popover.close(true);
      choose(from, to);
    };
    const quick = QUICK.map(([from, text]) =>
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': String(from === range[0] && range[1] === 'now'),
          onclick: () => pick(from, 'now'),
        },
        text,
      ),
    );
    const form = absoluteForm(range, pick);
    box.classList.add('times');
    box.replaceChildren(form, h('div', { class: 'quick', role: 'group', 'aria-label': 'Quick ranges' }, ...quick));
    return quick.find((item) => item.getAttribute('aria-pressed') === 'true') ?? quick[0];
  });
  return {
    element: popover.element,
    open: popover.open,
    set(from, to) {
      range = [from, to];
      label.textContent = rangeLabel(from, to);
    },
  };
}

function absoluteForm([from, to]: readonly [string, string], pick: (from: string, to: string) => void): HTMLElement {
  const problem = h('p', { class: 'note problem', role: 'alert' });
  const field = (name: string, value: string) =>
    h('input', { name, value: fieldText(value), autocomplete: 'off', spellcheck: 'false' });
  const [start, end] = [field('from', from), field('to', to)];
  const submit = (event: Event) => {
    event.preventDefault();
    const [first, last] = [fromField(start.value), fromField(end.value)];
    if (first === undefined || last === undefined) {
      problem.textContent = 'Use 2026-01-31 08:00, now-6h or Unix ms.';
    } else if ((parseTime(first, Date.now()) ?? 0) >= (parseTime(last, Date.now(), true) ?? 0)) {
      problem.textContent = 'From must be earlier than to.';
    } else {
      pick(first, last);
    }
  };
  return h(
    'form',
    { onsubmit: submit, class: 'absolute' },
    h('label', {}, 'From', start),
    h('label', {}, 'To', end),
    h('button', { type: 'submit', class: 'primary' }, 'Apply'),
    problem,
  );
}
