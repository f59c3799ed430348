/** What every board must keep: habits of good boards, limits of the built-in page, and traps of the file format. */
import { findView } from '../../../analyzers/index.ts';
import { MACRO_NAMES } from '../../../dashboards/query/macros.ts';
import { variableNames } from '../../../dashboards/query/variables.ts';
import {
  type Annotation,
  type Board,
  dataPanels,
  type Override,
  type Panel,
  type Target,
} from '../../../dashboards/shared/model.ts';
import {
  ANNOTATION_COLUMNS,
  COLORS,
  CUSTOM_OPTIONS,
  INTERVALS,
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
    ...lintAnnotations(board),
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
    [board.annotations.list[0]?.builtIn === 1, 'the built-in annotation entry is missing'],
    [board.links.every((link) => link.type === 'dashboards' || link.type === 'link'), 'a link of another type'],
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
      [
        variable.allValue === undefined || variable.allValue === "''",
        `variable ${variable.name}: All stands for more than an empty literal`,
      ],
      [known, `variable ${variable.name}: refers to a variable that does not come before it`],
      ...(sql === '' ? [] : lintSql(sql).map((finding) => [false, `variable ${variable.name}: ${finding}`] as const)),
    ]);
  });
}

/** Boards with charts over time show the deploys on them. */
function lintAnnotations(board: Board): string[] {
  const own = board.annotations.list.filter(({ builtIn }) => builtIn !== 1);
  const names = own.map(({ name }) => name);
  return [
    ...check([
      [new Set(names).size === names.length, 'an annotation name is used twice'],
      [names.includes('Deploys') || !dataPanels(board).some(isTimed), 'deploys are not marked on the charts'],
    ]),
    ...own.flatMap((annotation) =>
      lintAnnotation(board, annotation).map((finding) => `annotation ${annotation.name}: ${finding}`),
    ),
  ];
}

function lintAnnotation(board: Board, { enable, iconColor, target }: Annotation): string[] {
  const select = /^SELECT (.*)$/m.exec(target?.rawSql ?? '')?.[1] ?? '';
  const columns = ANNOTATION_COLUMNS.map((name) => select.search(new RegExp(`\\b${name}(?:,|$)`)));
  const inOrder = columns.every((at, index) => at >= 0 && at > (columns[index - 1] ?? -1));
  return [
    ...check([
      [enable, 'is off'],
      [includes(COLORS, iconColor), `colour ${iconColor} is not drawn`],
      [inOrder, `does not select ${ANNOTATION_COLUMNS.join()}, in this order`],
      [/\bLIMIT \d+$/.test(target?.rawSql ?? ''), 'has no limit'],
    ]),
    ...(target === undefined ? ['has no query'] : lintTarget(board, target, false)),
  ];
}

const isTimed = ({ type }: Panel): boolean => type === 'timeseries' || type === 'heatmap';

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
    // A run is at GitHub or nowhere; the fixed beginning keeps a field's text from choosing the site.
    if (url.startsWith('https://github.com/${__data.fields.repository}/')) return [];
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
  return panel.type === 'text' ? lintText(panel) : lintData(board, panel);
}

function lintText(panel: Panel): string[] {
  return [
    ...check([
      [panel.title.length > 2 && (panel.description ?? '').length > 60, 'title or description is missing'],
      [String(panel.options?.['content'] ?? '').length > 100, 'says nothing'],
      [panel.targets === undefined, 'has a query'],
    ]),
    ...lintOptions(panel),
  ];
}

function lintData(board: Board, panel: Panel): string[] {
  const { defaults, overrides } = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const targets = panel.targets ?? [];
  const shown = targets.filter((target) => target.hide !== true);
  const legend = panel.options?.['legend'] as { showLegend?: boolean } | undefined;
  const timed = isTimed(panel);
  const tree = ['level', 'value', 'self', 'label'];
  return [
    ...check([
      [panel.title.length > 2, 'title is missing'],
      [(panel.description ?? '').length > 60, 'description is missing or says too little'],
      [(defaults.noValue ?? '').length > 30, 'noValue does not say what to do'],
      [includes(UNITS, defaults.unit), `unit ${defaults.unit} is not drawn`],
      [Object.hasOwn(PANEL_OPTIONS, panel.type), `type ${panel.type} is not drawn`],
      [shown.length === 1, 'needs exactly one query that is shown'],
      [!timed || includes(INTERVALS, panel.interval), `interval ${panel.interval} is not one of ${INTERVALS.join()}`],
      [
        panel.type !== 'flamegraph' || tree.every((name) => new RegExp(`\\b${name}\\b`).test(shown[0]?.rawSql ?? '')),
        `does not select ${tree.join()}`,
      ],
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
    [
      ['from', 'to'].every(
        (name) =>
          sql.includes(`$__${name}Time`) ||
          !calls.some(([, , view]) => findView(view ?? '')?.parameters.some((parameter) => parameter.name === name)),
      ) && sql.includes('$__toTime'),
      'SQL is not bound to the time range',
    ],
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
