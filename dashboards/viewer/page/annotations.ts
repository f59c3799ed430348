/** Events on every chart over time: what a board's annotation queries answer, and whether they are shown. */
import type { Annotation, Board } from '../../shared/model.ts';
import { api, type Scope } from './api.ts';
import { redrawCharts } from './chart.ts';
import { h } from './dom.ts';
import { timeMs } from './frames.ts';
import { type Mark, setMarks } from './marks.ts';

export interface Annotations {
  /** A switch for each query. */
  controls: readonly HTMLElement[];
  /** Fetches the events of a scope and draws them on the charts. What failed is left out: the panels say why. */
  load(scope: Scope, signal: AbortSignal): Promise<void>;
}

/** Switched off by the reader, by name: the choice goes along from board to board. */
const off = new Set<string>();

/** Builds the switches of a board; nothing is fetched. */
export function createAnnotations(board: Board): Annotations {
  const queries = board.annotations.list.filter(({ target, enable }) => target !== undefined && enable);
  const marks = new Map<string, Mark[]>();
  const show = () => {
    setMarks(queries.flatMap(({ name }) => (off.has(name) ? [] : (marks.get(name) ?? []))));
    redrawCharts();
  };
  const switches = queries.map((query) => createSwitch(query, show));
  setMarks([]);
  return {
    controls: switches.map(({ element }) => element),
    load: async (scope, signal) => {
      const answers = await Promise.allSettled(
        queries.map(({ name }) => api.annotation(board.uid, name, scope, signal)),
      );
      if (signal.aborted) return;
      answers.forEach((answer, index) => {
        const { name = '', iconColor = 'blue' } = queries[index] ?? {};
        const found = answer.status === 'fulfilled' ? marksOf(answer.value, iconColor) : [];
        marks.set(name, found);
        switches[index]?.count(found.length);
      });
      show();
    },
  };
}

function createSwitch({ name }: Annotation, changed: () => void) {
  const number = h('span', { class: 'control-value' });
  const element = h(
    'button',
    { type: 'button', class: 'field annotation', title: `Show ${name.toLowerCase()} on the charts` },
    h('i', { class: 'flag', 'aria-hidden': 'true' }),
    h('span', { class: 'control-label' }, name),
    number,
  );
  const mark = () => element.setAttribute('aria-pressed', String(!off.has(name)));
  element.addEventListener('click', () => {
    if (!off.delete(name)) off.add(name);
    mark();
    changed();
  });
  mark();
  const count = (value: number) => {
    number.textContent = String(value);
  };
  return { element, count };
}

function marksOf({ columns, rows }: { columns: { name: string }[]; rows: unknown[][] }, color: string): Mark[] {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const [time, title, text] = [at('time'), at('title'), at('text')];
  return rows.flatMap((row) => {
    const ms = timeMs(row[time]);
    if (ms === null) return [];
    return [{ seconds: ms / 1000, title: String(row[title] ?? ''), text: String(row[text] ?? ''), color }];
  });
}
