/** A variable as a dropdown: search, one or several values, All. */
import { ALL_VALUE, type Variable } from '../../shared/model.ts';
import { h } from './dom.ts';
import { createOptionList, type OptionList } from './option-list.ts';
import { createPopover, type Popover } from './popover.ts';

export interface VariableControl {
  variable: Variable;
  element: HTMLElement;
  open(): void;
  /** Shows the choice and offers the options. */
  set(chosen: readonly string[], options: readonly string[]): void;
}

/** Builds the control. `choose` is called with the new values, once, when the choice is made. */
export function createVariable(variable: Variable, choose: (values: string[]) => void): VariableControl {
  const label = h('span', { class: 'control-value' });
  const title = variable.label ?? variable.name;
  const button = h(
    'button',
    { type: 'button', class: 'field', title: variable.description, 'aria-haspopup': 'dialog', 'aria-label': title },
    h('span', { class: 'control-label' }, title),
    label,
  );
  let chosen: string[] = [];
  let options: readonly string[] = [];
  /** The choice while the list is open: a refresh meanwhile must not undo it. */
  let pending: string[] | undefined;
  let list: OptionList | undefined;
  const popover: Popover = createPopover(
    button,
    (box) => {
      pending = [...chosen];
      list = createOptionList(variable, title, options, pending, (value) => {
        pending = variable.multi === true ? toggled(pending ?? [], value) : [value];
        if (variable.multi !== true) popover.close(true);
        return pending ?? [value];
      });
      box.replaceChildren(list.search, list.element);
      return list.search;
    },
    () => {
      const made = pending ?? chosen;
      pending = undefined;
      list = undefined;
      if (made.join('\n') !== chosen.join('\n')) choose(made);
    },
  );
  return {
    variable,
    element: popover.element,
    open: popover.open,
    set(values, offered) {
      chosen = [...values];
      options = offered;
      list?.offer(offered);
      label.textContent = summary(values, offered);
    },
  };
}

function summary(values: readonly string[], options: readonly string[]): string {
  if (values.length === 0) return options.length === 0 ? 'none in this range' : 'choose';
  const text = values.map((value) => (value === ALL_VALUE ? 'All' : value));
  return text.length <= 2 ? text.join(', ') : `${text.slice(0, 2).join(', ')} +${text.length - 2}`;
}

function toggled(values: readonly string[], value: string): string[] {
  if (value === ALL_VALUE) return [ALL_VALUE];
  const without = values.filter((other) => other !== value && other !== ALL_VALUE);
  const next = values.includes(value) ? without : [...without, value];
  return next.length === 0 ? [ALL_VALUE] : next;
}
