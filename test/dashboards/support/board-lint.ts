/** What every board must keep: habits of good boards, limits of the built-in page, and traps of the file format. */
import { findView } from '../../../analyzers/index.ts';
import { MACRO_NAMES } from '../../../dashboards/query/macros.ts';
import { variableNames } from '../../../dashboards/query/variables.ts';
import { type Board, dataPanels, type Override, type Panel, type Target } from '../../../dashboards/shared/model.ts';
import {
  COLORS,
  CUSTOM_OPTIONS,
  MATCHERS,
  OVERRIDES,
  PANEL_OPTIONS,
  UNITS,
  VARIABLE_TYPES,
} from '../../../dashboards/shared/supported.ts';

const includes = (list: readonly string[], item: unknown) => typeof item === 'string' && list.includes(item);

/** Findings over a set of boards that link to one another; empty where all is well. */
export function lintBoards(boards: readonly Board[]): string[] {
  const uids = boards.map((board) => board.uid);
  const repeated = uids.filter((uid, index) => uids.indexOf(uid) !== index).map((uid) => `uid ${uid} is used twice`);
  return [
    ...repeated,
    ...boards.flatMap((board) => lintBoard(board, boards).map((finding) => `${board.uid}: ${finding}`)),
  ];
}

function lintBoard(board: Board, boards: readonly Board[]): string[] {
  return [
    ...lintFrame(board),
    ...lintVariables(board),
    ...lintGrid(board),
    ...lintLinks(board, boards),
    ...dataPanels(board).flatMap((panel) => lintPanel(board, panel).map((finding) => `panel ${panel.id}: ${finding}`)),
  ];
}

function lintFrame(board: Board): string[] {
  const ids = board.panels.flatMap((panel) => [panel.id, ...(panel.panels ?? []).map((inner) => inner.id)]);
  const links = board.links.filter(
    (link) => link.asDropdown && link.keepTime && link.includeVars && link.type === 'dashboards',
  );
  return check([
    [/^heliograph-[a-z-]+$/.test(board.uid), 'uid is not heliograph-…'],
    [board.title !== '' && board.description.length > 40, 'title or description is missing'],
    [board.tags.includes('heliograph'), 'tag heliograph is missing'],
    [board.time.from.startsWith('now-') && board.time.to === 'now', 'default time range is missing'],
    [/^\d+[smh]$/.test(board.refresh), 'refresh is missing'],
    [board.editable === false, 'the board is editable'],
    [board.graphTooltip === 1, 'the crosshair is not shared'],
    [board.schemaVersion >= 39 && !('elements' in board) && !('layout' in board), 'not classic dashboard JSON'],
    [board.annotations.list.length > 0, 'the built-in annotation entry is missing'],
    [links.length === 1, 'no dropdown of sibling boards that keeps time and variables'],
    [!JSON.stringify(board).includes('"placement":"inControlsMenu"'), 'links are hidden in a menu'],
    [ids.every((id) => Number.isInteger(id) && id > 0), 'an id is missing'],
    [new Set(ids).size === ids.length, 'an id is used twice'],
  ]);
}

function lintVariables(board: Board): string[] {
  const seen = new Set<string>();
  return board.templating.list.flatMap((variable) => {
    const sql = typeof variable.query === 'string' ? '' : variable.query.rawSql;
    const known = variableNames(sql).every((name) => seen.has(name));
    seen.add(variable.name);
    return check([
      [includes(VARIABLE_TYPES, variable.type), `variable ${variable.name}: type ${variable.type} is not drawn`],
      [
        (variable.label ?? '') !== '' && (variable.description ?? '') !== '',
        `variable ${variable.name}: label or description is missing`,
      ],
      [
        variable.type !== 'query' || variable.refresh === 2,
        `variable ${variable.name}: not read again when the time changes`,
      ],
      [known, `variable ${variable.name}: refers to a variable that does not come before it`],
      ...(sql === '' ? [] : lintSql(sql).map((finding) => [false, `variable ${variable.name}: ${finding}`] as const)),
    ]);
  });
}

function lintGrid(board: Board): string[] {
  const panels = dataPanels(board);
  return panels.flatMap((panel, index) => {
    const { x, y, w, h } = panel.gridPos;
    const overlaps = panels
      .slice(index + 1)
      .filter(
        ({ gridPos: other }) => x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h,
      );
    return check([
      [x >= 0 && w > 0 && h > 0 && x + w <= 24, `panel ${panel.id} leaves the grid`],
      [overlaps.length === 0, `panel ${panel.id} overlaps ${overlaps.map(({ id }) => id).join()}`],
    ]);
  });
}

function lintLinks(board: Board, boards: readonly Board[]): string[] {
  const urls = [...JSON.stringify(board).matchAll(/"url":"([^"]+)"/g)].map((match) => match[1] ?? '');
  return urls.flatMap((url) => {
    const uid = /^\/d\/([^/?]+)\?/.exec(url)?.[1];
    const target = boards.find((other) => other.uid === uid);
    const named = [...url.matchAll(/var-(\w+)=|\$\{(\w+):queryparam\}/g)].map((match) => match[1] ?? match[2] ?? '');
    const missing = named.filter(
      (name) => target?.templating.list.every((variable) => variable.name !== name) !== false,
    );
    return check([
      [target !== undefined, `link ${url} leads to no board`],
      [missing.length === 0, `link ${url} sets unknown variables ${missing.join()}`],
      [url.includes('${__url_time_range}'), `link ${url} loses the time range`],
    ]);
  });
}

function lintPanel(board: Board, panel: Panel): string[] {
  const { defaults, overrides } = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const targets = panel.targets ?? [];
  const shown = targets.filter((target) => target.hide !== true);
  const legend = panel.options?.['legend'] as { showLegend?: boolean } | undefined;
  const timed = panel.type === 'timeseries' || panel.type === 'heatmap';
  return [
    ...check([
      [panel.title.length > 2, 'title is missing'],
      [(panel.description ?? '').length > 60, 'description is missing or says too little'],
      [(defaults.noValue ?? '').length > 30, 'noValue does not say what to do'],
      [includes(UNITS, defaults.unit), `unit ${defaults.unit} is not drawn`],
      [Object.hasOwn(PANEL_OPTIONS, panel.type), `type ${panel.type} is not drawn`],
      [shown.length === 1, 'needs exactly one query that is shown'],
      [!timed || panel.interval === '1m', 'interval is not 1m, the grain of the rollups'],
      [panel.type !== 'timeseries' || legend?.showLegend === true, 'legend is not shown'],
      [!('transformations' in panel), 'has transformations: shape the result in SQL'],
    ]),
    ...lintOptions(panel),
    ...overrides.flatMap((override) => lintOverride(override, shown[0])),
    ...colorsOf(panel).flatMap((color) => check([[includes(COLORS, color), `colour ${color} is not drawn`]])),
    ...targets.flatMap((target) => lintTarget(board, target, timed)),
  ];
}

function lintOptions(panel: Panel): string[] {
  const allowed = PANEL_OPTIONS[panel.type] ?? [];
  const options = Object.entries(panel.options ?? {}).flatMap(([key, value]) =>
    check([
      [
        allowed.includes(key) || allowed.includes(`${key}=${String(value)}`),
        `option ${key}=${JSON.stringify(value)} is not drawn`,
      ],
    ]),
  );
  const custom = Object.keys(panel.fieldConfig?.defaults.custom ?? {}).flatMap((key) =>
    check([[includes(CUSTOM_OPTIONS, key), `custom.${key} is not drawn`]]),
  );
  return [...options, ...custom];
}

function lintOverride({ matcher, properties }: Override, target: Target | undefined): string[] {
  const selected = new RegExp(`\\b${String(matcher.options)}\\b`);
  return check([
    [includes(MATCHERS, matcher.id), `matcher ${matcher.id} is not drawn`],
    [selected.test(target?.rawSql ?? ''), `override names ${String(matcher.options)}, which the query does not select`],
    ...properties.map(
      ({ id, value }) =>
        [includes(OVERRIDES, id) && (id !== 'unit' || includes(UNITS, value)), `override ${id} is not drawn`] as const,
    ),
  ]);
}

function colorsOf(panel: Panel): string[] {
  const text = JSON.stringify(panel.fieldConfig ?? {});
  return [...text.matchAll(/"(?:color|fixedColor)":"([^"]+)"/g)].map((match) => match[1] ?? '');
}

function lintTarget(board: Board, target: Target, timed: boolean): string[] {
  const known = board.templating.list.map((variable) => variable.name);
  const unknown = variableNames(target.rawSql).filter((name) => !known.includes(name));
  const series = target.hide !== true && timed;
  return check([
    [target.datasource.uid === '${datasource}', 'query is bound to one data source'],
    [target.editorType === 'sql', 'query is not in SQL mode'],
    [unknown.length === 0, `unknown variable ${unknown.join()}`],
    [!series || (target.format !== 1 && /\bORDER BY time\b/.test(target.rawSql)), 'a series must be sorted by time'],
    [series || target.format === 1, 'a single figure or table must have table format'],
    ...lintSql(target.rawSql).map((finding) => [false, finding] as const),
  ]);
}

function lintSql(sql: string): string[] {
  const calls = [...sql.matchAll(/\b(?:FROM|JOIN)\s+(?:(\w+)\.)?(\w+)(?:\(([^)]*)\))?/g)];
  const macros = [...sql.matchAll(/\$__(\w+)/g)].map((match) => match[1] ?? '');
  const unquoted = [
    ...sql.replaceAll(/\$__conditionalAll\(|, \$\w+\)/g, '').matchAll(/\$\{(\w+)(:\w+)?\}|\$(?!__)(\w+)/g),
  ].filter((match) => match[2] !== ':singlequote');
  return check([
    [!/;|\bSETTINGS\b|\bFORMAT\b|--|\/\*/.test(sql), 'SQL has a semicolon, a comment, SETTINGS or FORMAT'],
    [/\$__fromTime/.test(sql) && /\$__toTime/.test(sql), 'SQL is not bound to the time range'],
    [macros.every((name) => MACRO_NAMES.includes(name)), `unknown macro in ${macros.join()}`],
    [unquoted.length === 0, `${unquoted.map((match) => match[0]).join()} is pasted without :singlequote`],
    [calls.length > 0, 'SQL reads no view'],
    ...calls.map(
      ([text, database, name, args]) =>
        [
          database === 'boards' && parametersOf(args) === expectedParameters(name),
          `${text.slice(0, 60)} is not a view of the registry with its parameters`,
        ] as const,
    ),
  ]);
}

const parametersOf = (args: string | undefined) =>
  [...(args ?? '').matchAll(/(\w+)=/g)].map((match) => match[1]).join();
const expectedParameters = (name: string | undefined) =>
  findView(name ?? '')
    ?.parameters.map((parameter) => parameter.name)
    .join();

function check(rules: readonly (readonly [boolean, string])[]): string[] {
  return rules.filter(([holds]) => !holds).map(([, finding]) => finding);
}
