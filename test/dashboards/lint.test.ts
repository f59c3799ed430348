import { describe, expect, test } from 'vitest';
import { BOARDS } from '../../dashboards/index.ts';
import type { Board, Panel } from '../../dashboards/shared/model.ts';
import { dataPanels } from '../../dashboards/shared/model.ts';
import { lintBoards } from './support/board-lint.ts';

test('every board keeps the rules', () => {
  expect(BOARDS.length).toBeGreaterThan(1);
  expect(lintBoards(BOARDS.map((board) => board()))).toEqual([]);
});

function panel(boards: Board[], id: number): Panel {
  const found = boards.flatMap(dataPanels).find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no panel ${id}`);
  return found;
}

function target(boards: Board[], id: number) {
  const found = panel(boards, id).targets?.[0];
  if (found === undefined) throw new Error(`panel ${id} has no query`);
  return found;
}

function deploys(boards: Board[]) {
  const found = boards[0]?.annotations.list.find(({ name }) => name === 'Deploys');
  if (found === undefined) throw new Error('the Overview marks no deploys');
  return found;
}

/** One fault each, and words of the finding it must cause. Panels are the Overview's. */
const FAULTS: readonly (readonly [fault: string, finding: RegExp, apply: (boards: Board[]) => void])[] = [
  ['two boards with one uid', /used twice/, (boards) => boards.push(structuredClone(boards[0] as Board))],
  ['a repeated panel id', /id is used twice/, (boards) => Object.assign(panel(boards, 2), { id: 1 })],
  ['no description', /description is missing/, (boards) => Object.assign(panel(boards, 2), { description: 'Rate.' })],
  [
    'no text for empty',
    /noValue/,
    (boards) => Object.assign(panel(boards, 7).fieldConfig?.defaults ?? {}, { noValue: '-' }),
  ],
  [
    'a unit the page cannot draw',
    /unit currencyUSD/,
    (boards) => Object.assign(panel(boards, 7).fieldConfig?.defaults ?? {}, { unit: 'currencyUSD' }),
  ],
  [
    'a panel type the page cannot draw',
    /type piechart/,
    (boards) => Object.assign(panel(boards, 7), { type: 'piechart' }),
  ],
  [
    'an option the page ignores',
    /option graphMode/,
    (boards) => Object.assign(panel(boards, 1).options ?? {}, { graphMode: 'area' }),
  ],
  [
    'a colour the page lacks',
    /colour semi-dark-red/,
    (boards) =>
      Object.assign(panel(boards, 1).fieldConfig?.defaults ?? {}, {
        color: { mode: 'fixed', fixedColor: 'semi-dark-red' },
      }),
  ],
  ['panels that overlap', /overlaps/, (boards) => Object.assign(panel(boards, 2).gridPos, { x: 0 })],
  ['a panel outside the grid', /leaves the grid/, (boards) => Object.assign(panel(boards, 6).gridPos, { x: 22 })],
  [
    'a fixed data source',
    /one data source/,
    (boards) => Object.assign(target(boards, 7).datasource, { uid: 'heliograph' }),
  ],
  [
    'a series without order',
    /sorted by time/,
    (boards) => Object.assign(target(boards, 7), { rawSql: target(boards, 7).rawSql.replace(/ORDER BY time.*/, '') }),
  ],
  [
    'SQL beside the views',
    /not a view of the registry/,
    (boards) =>
      Object.assign(target(boards, 2), {
        rawSql: 'SELECT count() FROM otel.otel_traces WHERE Timestamp > $__fromTime AND Timestamp < $__toTime',
      }),
  ],
  [
    'a view without its parameters',
    /not a view of the registry/,
    (boards) =>
      Object.assign(target(boards, 2), {
        rawSql: 'SELECT rate FROM boards.latency_by_service(from=$__fromTime, to=$__toTime)',
      }),
  ],
  [
    'settings in SQL',
    /SETTINGS/,
    (boards) => Object.assign(target(boards, 2), { rawSql: `${target(boards, 2).rawSql} SETTINGS limit = 1` }),
  ],
  [
    'a macro nobody expands',
    /unknown macro/,
    (boards) =>
      Object.assign(target(boards, 7), { rawSql: target(boards, 7).rawSql.replace('$__interval_s', '$__lttb') }),
  ],
  [
    'an unknown variable',
    /unknown variable/,
    (boards) =>
      Object.assign(target(boards, 7), {
        rawSql: target(boards, 7).rawSql.replace('ORDER BY', 'AND x = ${team:singlequote} ORDER BY'),
      }),
  ],
  [
    'a pasted variable',
    /without :singlequote/,
    (boards) =>
      Object.assign(target(boards, 7), {
        rawSql: target(boards, 7).rawSql.replace('ORDER BY', 'AND x = ${datasource} ORDER BY'),
      }),
  ],
  [
    'a link to nowhere',
    /leads to no board/,
    (boards) =>
      (panel(boards, 10).fieldConfig?.overrides[0]?.properties ?? []).forEach((property) => {
        if (property.id === 'links') property.value = [{ title: 'x', url: '/d/nope?${__url_time_range}' }];
      }),
  ],
  [
    'a link without the time',
    /loses the time/,
    (boards) =>
      (panel(boards, 10).fieldConfig?.overrides[0]?.properties ?? []).forEach((property) => {
        if (property.id === 'links') property.value = [{ title: 'x', url: '/d/heliograph-overview?x=1' }];
      }),
  ],
  [
    'an override of an unselected column',
    /does not select/,
    (boards) => Object.assign(panel(boards, 10).fieldConfig?.overrides[0]?.matcher ?? {}, { options: 'sevrice' }),
  ],
  ['no legend', /legend/, (boards) => Object.assign(panel(boards, 7).options ?? {}, { legend: { showLegend: false } })],
  ['a transformation', /transformations/, (boards) => Object.assign(panel(boards, 10), { transformations: [] })],
  ['an editable board', /editable/, (boards) => Object.assign(boards[0] ?? {}, { editable: true })],
  [
    'a bucket width of its own',
    /interval 5m is not one of 1m,1h,7d/,
    (boards) => Object.assign(panel(boards, 7), { interval: '5m' }),
  ],
  [
    'a mapping to a colour the page lacks',
    /colour pink is not drawn/,
    (boards) =>
      (panel(boards, 13).fieldConfig?.overrides[0]?.properties ?? []).forEach((property) => {
        if (property.id === 'mappings') property.value = [{ type: 'value', options: { firing: { color: 'pink' } } }];
      }),
  ],
  [
    'charts without deploys',
    /deploys are not marked/,
    (boards) => Object.assign(boards[0]?.annotations ?? {}, { list: boards[0]?.annotations.list.slice(0, 1) }),
  ],
  [
    'an annotation without its columns',
    /annotation Deploys: does not select time,text,title,tags/,
    (boards) =>
      Object.assign(deploys(boards).target ?? {}, {
        rawSql: deploys(boards).target?.rawSql.replace('time, text', 'text, time'),
      }),
  ],
  [
    'an annotation without end',
    /annotation Deploys: has no limit/,
    (boards) =>
      Object.assign(deploys(boards).target ?? {}, { rawSql: deploys(boards).target?.rawSql.replace(/LIMIT.*/, '') }),
  ],
  [
    'an annotation beside the views',
    /annotation Deploys: .* is not a view of the registry/,
    (boards) =>
      Object.assign(deploys(boards).target ?? {}, {
        rawSql: deploys(boards).target?.rawSql.replace('boards.deploys', 'heliograph.deployments'),
      }),
  ],
  [
    'an annotation in a colour the page lacks',
    /annotation Deploys: colour pink/,
    (boards) => Object.assign(deploys(boards), { iconColor: 'pink' }),
  ],
  [
    'a flame graph without its columns',
    /does not select level,value,self,label/,
    (boards) => {
      const [graph] = boards.flatMap(dataPanels).filter(({ type }) => type === 'flamegraph');
      Object.assign(graph?.targets?.[0] ?? {}, { rawSql: graph?.targets?.[0]?.rawSql.replace('self, ', '') });
    },
  ],
  [
    'prose that says nothing',
    /says nothing/,
    (boards) => {
      const [prose] = boards.flatMap(dataPanels).filter(({ type }) => type === 'text');
      Object.assign(prose?.options ?? {}, { content: 'Hello.' });
    },
  ],
  [
    'All that stands for SQL',
    /All stands for more than an empty literal/,
    (boards) => {
      const [variable] = boards
        .flatMap(({ templating }) => templating.list)
        .filter(({ allValue }) => allValue !== undefined);
      Object.assign(variable ?? {}, { allValue: '(SELECT 1)' });
    },
  ],
  [
    'a link that a field leads anywhere',
    /leads to no board/,
    (boards) =>
      (panel(boards, 10).fieldConfig?.overrides[0]?.properties ?? []).forEach((property) => {
        if (property.id === 'links') property.value = [{ title: 'x', url: '${__data.fields.service}' }];
      }),
  ],
  [
    'a view without its end of time',
    /not bound to the time range/,
    (boards) => {
      const suspects = boards
        .flatMap(dataPanels)
        .find(({ title, type }) => title === 'Leak suspects' && type === 'table');
      const shown = suspects?.targets?.[0];
      Object.assign(shown ?? {}, { rawSql: shown?.rawSql.replace('$__toTime', 'now()') });
    },
  ],
  [
    'a variable read once',
    /not read again/,
    (boards) => Object.assign(boards[1]?.templating.list[1] ?? {}, { refresh: 1 }),
  ],
];

describe('the lint finds', () => {
  test.each(FAULTS)('%s', (_fault, finding, apply) => {
    const boards = BOARDS.map((board) => structuredClone(board()));
    apply(boards);
    expect(lintBoards(boards).join('\n')).toMatch(finding);
  });
});
