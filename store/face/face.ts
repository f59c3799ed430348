/** The read-only face: one statement in, the engine's own bytes out, three walls between. See README.md. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock, Log } from '../../core/ports.ts';
import { boundParameters, checkDatabase } from './bounds.ts';
import { createFaceEngine, type EngineAddress, type FaceEngine, readAnswer } from './engine.ts';
import { type EngineFacts, readFacts } from './facts.ts';
import { formatName } from './formats.ts';
import { helloBlock } from './hello.ts';
import { judgeTree } from './judge.ts';
import { limitBytes } from './limit-bytes.ts';
import { denied, syntaxError } from './refusal.ts';
import { type FaceStatement, readStatement } from './statement.ts';
import { createTurns } from './turns.ts';

/** A statement as it came over HTTP. */
export interface FaceRequest {
  /** The statement's bytes. */
  statement: Buffer;
  /** Parameters of the URL. */
  parameters: URLSearchParams;
  /** Format asked for outside the statement. */
  format: string | undefined;
  database: string | undefined;
  /** The answer may be compressed with gzip. */
  gzip: boolean;
  /** Fires when the client has left. */
  signal: AbortSignal;
}

export interface FaceAnswer {
  headers: Record<string, string>;
  /** Whole, or as it comes from the engine; the latter must be read to its end or destroyed. */
  body: Buffer | Readable;
}

export interface Face {
  /** Runs the statement. Rejects with an `EngineException`, the engine's or a wall's. */
  answer(request: FaceRequest): Promise<FaceAnswer>;
  /** The engine's version; 'unknown' until it has answered once. */
  version(): string;
  /** Statements running now. */
  running(): number;
  close(): void;
}

export interface FaceOptions {
  address: EngineAddress;
  /** Role that sees `boards` and nothing else. */
  role: string;
  clock: Clock;
  log: Log;
}

/** Statements of at most this many bytes are read. */
export const MAX_STATEMENT_BYTES = 256 * 1024;
/** Statements at once, of the eight that the embedded engine runs; as many again wait as a large dashboard has panels. */
const AT_ONCE = 4;
const WAITING = 100;
/** A server may be given new functions, or another version, while we run. */
const FACTS_FRESH_MS = 600_000;
const UNCONFINED =
  'the role of /clickhouse/ does not confine our user, so readers see the names of other tables; give the user its rights by roles';
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const MAX_TREE_BYTES = 8 * 1024 * 1024;
const PROBE_SECONDS = '5';
/** What a client may learn of where an answer came from. */
const PASSED_HEADERS = [
  'content-type',
  'content-encoding',
  'content-length',
  'x-clickhouse-format',
  'x-clickhouse-timezone',
  'x-clickhouse-query-id',
  'x-clickhouse-summary',
  'x-clickhouse-exception-tag',
];

/** A face that has opened no connection yet. */
export function createFace({ address, role, clock, log }: FaceOptions): Face {
  const engine = createFaceEngine(address, 2 * AT_ONCE);
  const turns = createTurns(AT_ONCE, WAITING);
  let facts: EngineFacts | undefined;
  let learnedMs = 0;
  const learn = async (signal: AbortSignal): Promise<EngineFacts> => {
    if (facts === undefined || clock.monotonicMs() - learnedMs > FACTS_FRESH_MS) {
      const first = facts === undefined;
      facts = await readFacts(engine, role, signal);
      learnedMs = clock.monotonicMs();
      if (first && !facts.confined) log.warn({ role, granted: facts.role !== undefined }, UNCONFINED);
    }
    return facts;
  };

  const answer = async (request: FaceRequest): Promise<FaceAnswer> => {
    const statement = readStatement(readUtf8(request.statement));
    checkDatabase(request.database);
    const bounds = boundParameters(request.parameters);
    const format = statement.format ?? askedFormat(request.format);
    const known = await learn(request.signal);
    if (statement.kind === 'hello' && format === 'Native') return hello(known, request.parameters);
    const parameters = new URLSearchParams(bounds);
    if (known.role !== undefined) parameters.set('role', known.role);
    const giveBack = await turns.take(request.signal);
    try {
      if (statement.kind !== 'describe') await probe(engine, statement, parameters, known, request.signal);
      parameters.set('default_format', format);
      const answer = await run(engine, statement, parameters, request);
      return { headers: passedHeaders(answer), body: limitBytes(answer, MAX_ANSWER_BYTES, giveBack) };
    } catch (error) {
      giveBack();
      throw error;
    }
  };
  return {
    answer,
    version: () => facts?.version ?? 'unknown',
    running: () => turns.running(),
    close: () => engine.close(),
  };
}

function readUtf8(bytes: Buffer): string {
  if (bytes.length > MAX_STATEMENT_BYTES) throw syntaxError(`A statement may have ${MAX_STATEMENT_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw syntaxError('The statement is not UTF-8');
  }
}

function askedFormat(name: string | undefined): string {
  const format = formatName(name ?? 'TabSeparated');
  if (format === undefined)
    throw denied('The format asked for is refused: Native, JSON and TabSeparated ones are served');
  return format;
}

function hello({ version, timezone }: EngineFacts, parameters: URLSearchParams): FaceAnswer {
  const revision = Number(parameters.get('client_protocol_version') ?? 0);
  return {
    headers: {
      'content-type': 'application/octet-stream',
      'x-clickhouse-format': 'Native',
      'x-clickhouse-timezone': timezone,
    },
    body: helloBlock({ displayName: 'heliograph', version, timezone }, Number.isFinite(revision) ? revision : 0),
  };
}

/** Wall 3. The tree is read under the same walls as the statement, and without running any of its passes nothing is evaluated. */
async function probe(
  engine: FaceEngine,
  statement: FaceStatement,
  bounds: URLSearchParams,
  facts: EngineFacts,
  signal: AbortSignal,
): Promise<void> {
  const parameters = new URLSearchParams(bounds);
  for (const name of ['limit', 'offset', 'max_result_rows', 'max_result_bytes', 'max_block_size'])
    parameters.delete(name);
  parameters.set('max_execution_time', PROBE_SECONDS);
  parameters.set('default_format', 'TabSeparatedRaw');
  const sql = `EXPLAIN QUERY TREE run_passes = 0 ${statement.probe}`;
  const answer = await engine.call({ sql, parameters, gzip: false, signal });
  judgeTree(await readAnswer(answer, MAX_TREE_BYTES), facts.functions);
}

async function run(
  engine: FaceEngine,
  { sql }: FaceStatement,
  parameters: URLSearchParams,
  { gzip, signal }: FaceRequest,
): Promise<IncomingMessage> {
  // A server ends the statement of a reader who has left; the embedded engine does so anyway.
  parameters.set('cancel_http_readonly_queries_on_client_close', '1');
  const answer = await engine.call({ sql, parameters, gzip, signal });
  // A failure is short, and its text is needed to say it again without the engine's own headers.
  if (answer.statusCode !== 200) await readAnswer(answer, 0);
  return answer;
}

function passedHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    PASSED_HEADERS.flatMap((name): [string, string][] => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
