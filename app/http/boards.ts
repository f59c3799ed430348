/** `/api/boards`: the provisioned boards, and the answers to their stored queries. A request never carries SQL. */
import { readdirSync, readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { findView } from '../../analyzers/index.ts';
import type { View } from '../../analyzers/types.ts';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Store } from '../../core/ports.ts';
import { assetPath } from '../../core/paths.ts';
import { BOARDS_FOLDER } from '../../dashboards/export.ts';
import {
  allValuesOf,
  type ExpandedTarget,
  expandAnnotation,
  expandPanel,
  expandVariable,
  findPanel,
  type PanelRequest,
} from '../../dashboards/query/expand.ts';
import { parseRange } from '../../dashboards/query/range.ts';
import { type Board, dataPanels, type Panel } from '../../dashboards/shared/model.ts';
import { integer, type QueryString, single, variableValues } from './parameters.ts';
import { capRows, READ_SETTINGS } from './read-settings.ts';
import { type SourceStatusReader, sourceStatusReader } from './source-status.ts';

export interface BoardsDeps {
  store: Store;
  clock: Clock;
}

interface StoredBoard {
  board: Board;
  /** The file as provisioned, byte for byte. */
  bytes: Buffer;
}

const DEFAULT_POINTS = 600;
const MAX_POINTS = 4_000;

/** Adds the routes. Reads the exported boards now; errors are thrown as HeliographError for the app's error handler. */
export function registerBoards(app: FastifyInstance, deps: BoardsDeps): void {
  const boards = readBoards();
  const readStatus = sourceStatusReader(deps.store, deps.clock);

  app.get('/api/boards', async () => ({ boards: [...boards.values()].map(({ board }) => summary(board)) }));

  app.get<{ Params: { uid: string } }>('/api/boards/:uid', async (request, reply) =>
    reply.type('application/json').send(boardOf(boards, request.params.uid).bytes),
  );

  app.get<{ Params: { uid: string; id: string }; Querystring: QueryString }>(
    '/api/boards/:uid/panels/:id',
    async ({ params, query }) => {
      const { board } = boardOf(boards, params.uid);
      return answerPanel(deps, readStatus, board, panelOf(board, params.id), query);
    },
  );

  app.get<{ Params: { uid: string; name: string }; Querystring: QueryString }>(
    '/api/boards/:uid/variables/:name',
    async ({ params, query }) => {
      const { board } = boardOf(boards, params.uid);
      const variable = board.templating.list.find(({ name }) => name === params.name);
      if (variable === undefined)
        throw new HeliographError('not_found', `board ${params.uid} has no variable ${params.name}`);
      const sql = expandVariable(variable, requestOf(board, query, deps.clock));
      if (sql === undefined) return { options: [] };
      const { rows, truncated } = capRows(await deps.store.query({ sql, settings: READ_SETTINGS }));
      return { options: rows.map((row) => String(row[0])), truncated };
    },
  );

  app.get<{ Params: { uid: string; name: string }; Querystring: QueryString }>(
    '/api/boards/:uid/annotations/:name',
    async ({ params, query }) => {
      const { board } = boardOf(boards, params.uid);
      const annotation = board.annotations.list.find(
        ({ name, target }) => name === params.name && target !== undefined,
      );
      if (annotation?.target === undefined)
        throw new HeliographError('not_found', `board ${params.uid} has no annotation ${params.name.slice(0, 80)}`);
      const { columns, rows, truncated } = await runTarget(
        deps.store,
        expandAnnotation(annotation.target, requestOf(board, query, deps.clock)),
      );
      return { columns, rows, truncated };
    },
  );
}

async function answerPanel(
  { store, clock }: BoardsDeps,
  readStatus: SourceStatusReader,
  board: Board,
  panel: Panel,
  query: QueryString,
): Promise<object> {
  const request = requestOf(board, query, clock);
  const { range } = request;
  const maxDataPoints = integer(
    'maxDataPoints',
    single(query, 'maxDataPoints') ?? String(DEFAULT_POINTS),
    1,
    MAX_POINTS,
  );
  const expanded = expandPanel(panel, { ...request, maxDataPoints });
  const startedMs = clock.monotonicMs();
  const [targets, counted, status] = await Promise.all([
    Promise.all(expanded.targets.filter(({ hidden }) => !hidden).map((target) => runTarget(store, target))),
    Promise.all(expanded.targets.filter(({ hidden }) => hidden).map((target) => runTarget(store, target))),
    readStatus(viewOf(panel)?.source ?? null, range),
  ]);
  const n = counted[0]?.rows[0]?.[0];
  const meta = {
    from: range.fromMs,
    to: range.toMs,
    stepSeconds: expanded.stepSeconds,
    tookMs: Math.round(clock.monotonicMs() - startedMs),
    n: typeof n === 'number' ? n : null,
    counted: viewOf(panel)?.columns.find(({ name }) => name === viewOf(panel)?.countColumn)?.unit ?? '',
    ...status,
  };
  return { targets, meta };
}

function readBoards(): Map<string, StoredBoard> {
  const folder = assetPath(BOARDS_FOLDER);
  const stored = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const bytes = readFileSync(`${folder}/${name}`);
      return { bytes, board: JSON.parse(bytes.toString()) as Board };
    });
  const first = (title: string) => Number(title !== 'Overview');
  stored.sort((a, b) => first(a.board.title) - first(b.board.title) || a.board.title.localeCompare(b.board.title));
  return new Map(stored.map((entry) => [entry.board.uid, entry]));
}

function summary(board: Board): object {
  const { uid, title, description, tags } = board;
  return { uid, title, description, tags, panels: dataPanels(board).length };
}

function boardOf(boards: ReadonlyMap<string, StoredBoard>, uid: string): StoredBoard {
  const stored = boards.get(uid);
  if (stored === undefined) throw new HeliographError('not_found', `there is no board ${uid.slice(0, 80)}`);
  return stored;
}

function panelOf(board: Board, id: string): Panel {
  const panel = /^\d{1,9}$/.test(id) ? findPanel(board, Number(id)) : undefined;
  if (panel === undefined) throw new HeliographError('not_found', `board ${board.uid} has no panel ${id.slice(0, 32)}`);
  return panel;
}

/** What panels, variables and annotations have in common: the range, the chosen values, and what stands for All. */
function requestOf(board: Board, query: QueryString, clock: Clock): Omit<PanelRequest, 'maxDataPoints'> {
  const from = single(query, 'from') ?? board.time.from;
  const to = single(query, 'to') ?? board.time.to;
  const range = parseRange(from, to, clock.nowMs());
  return { range, values: variableValues(query), allValues: allValuesOf(board) };
}

async function runTarget(store: Store, { refId, sql }: ExpandedTarget) {
  const result = await store.query({ sql, settings: READ_SETTINGS });
  return { refId, columns: result.columns, ...capRows(result) };
}

/** The first view a panel reads; undefined where it has none. */
function viewOf(panel: Panel): View | undefined {
  return findView(/\bboards\.(\w+)/.exec(panel.targets?.[0]?.rawSql ?? '')?.[1] ?? '');
}
