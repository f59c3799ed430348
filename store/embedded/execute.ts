/** Runs one request: session prepared, data spooled, statement run, result sent. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ChdbResult } from 'chdb';
import { stringLiteral } from '../sql.ts';
import { run } from './engine.ts';
import { toEngineException } from './exception.ts';
import { startPiped } from './pipe.ts';
import { bodyError, type QueryRequest, readText } from './request.ts';
import {
  type AnswerContext,
  answerWhole,
  beginAnswer,
  onClientGone,
  type StreamedAnswer,
  type Summary,
} from './response.ts';
import type { SessionPool, Slot } from './sessions.ts';
import { type InsertPlan, type Plan, planStatement, type StreamPlan } from './statement.ts';

/** Runs the request and answers it. Rejects with what went wrong before the answer began. */
export async function execute(pool: SessionPool, request: QueryRequest, context: AnswerContext): Promise<void> {
  const gone = new AbortController();
  onClientGone(context.response, () => gone.abort(new Error('the client went away')));
  const { plan, text } = await readPlan(request);
  context.format = plan.kind === 'insert' ? request.defaultFormat : plan.format;
  const slot = await pool.acquire(gone.signal);
  try {
    await prepare(slot, request);
    if (plan.kind === 'stream') await answerPiped(slot, plan, context, request.heldBackBytes, gone.signal);
    else if (plan.kind === 'insert') await answerInsert(slot, plan, text, request, context);
    else {
      const result = await run(slot.session, plan.sql, plan.format);
      await answerWhole(context, Buffer.from(result.bytes()), summarize(result));
    }
  } finally {
    slot.release();
  }
}

/** The statement stands in the URL, in the body, or begins in the one and goes on in the other. */
async function readPlan(request: QueryRequest): Promise<{ plan: Plan; text: Buffer }> {
  const head = Buffer.from(request.query);
  if (head.length > 0) {
    const plan = planStatement(head.toString('latin1'), request.defaultFormat);
    if (plan.kind === 'insert') return { plan, text: head };
  }
  const body = await readText(request.body);
  const text =
    head.length > 0 && body.length > 0 ? Buffer.concat([head, Buffer.from('\n'), body]) : Buffer.concat([head, body]);
  return { plan: planStatement(text.toString('latin1'), request.defaultFormat), text };
}

/** Settings first, `readonly` with them; the role last, because it may take away what the others need. */
async function prepare(slot: Slot, request: QueryRequest): Promise<void> {
  const changes = [
    ...Object.entries(request.settings).map(([name, value]) => `${name} = ${stringLiteral(value)}`),
    ...Object.entries(request.params).map(([name, value]) => `param_${name} = ${stringLiteral(value)}`),
  ];
  if (changes.length > 0) await run(slot.session, `SET ${changes.join(', ')}`, 'Null');
  if (request.database !== undefined && request.database !== '')
    await run(slot.session, `USE ${identifier(request.database)}`, 'Null');
  if (request.roles.length > 0) await run(slot.session, `SET ROLE ${request.roles.map(identifier).join(', ')}`, 'Null');
}

function identifier(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}

/** Data go through a file: the engine reads any format from one, and a server's promises about whole inserts hold. */
async function answerInsert(
  slot: Slot,
  plan: InsertPlan,
  text: Buffer,
  request: QueryRequest,
  context: AnswerContext,
): Promise<void> {
  try {
    await spool(slot.spoolPath, text.subarray(plan.dataAt), request.body);
    const result = await run(slot.session, plan.sql(slot.spoolPath), 'Null');
    await answerWhole(context, Buffer.alloc(0), summarize(result));
  } finally {
    await rm(slot.spoolPath, { force: true });
  }
}

async function spool(path: string, inline: Buffer, body: Readable): Promise<void> {
  async function* data(): AsyncGenerator<Buffer> {
    yield inline;
    if (!body.readableEnded) yield* body as AsyncIterable<Buffer>;
  }
  await pipeline(data, createWriteStream(path, { mode: 0o600 })).catch((error: unknown) => {
    throw bodyError(error);
  });
}

/**
 * The pipe is read to its end whatever becomes of the client: an engine that finds no reader when it opens the pipe, or a full
 * one, waits for ever and cannot be cancelled. A client that leaves has its statement cancelled, which ends the pipe.
 */
async function answerPiped(
  slot: Slot,
  plan: StreamPlan,
  context: AnswerContext,
  heldBackBytes: number,
  gone: AbortSignal,
): Promise<void> {
  const { output, done } = startPiped(slot, plan);
  let cancelled: Promise<void> | undefined;
  const cancel = (): void => void (cancelled = slot.cancel(done));
  if (gone.aborted) cancel();
  else gone.addEventListener('abort', cancel, { once: true });
  let answer: StreamedAnswer | undefined;
  const held: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of output as AsyncIterable<Buffer>) {
    if (gone.aborted) continue;
    if (answer === undefined) {
      held.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes < heldBackBytes) continue;
      answer = beginAnswer(context);
      await answer.write(Buffer.concat(held.splice(0)));
    } else await answer.write(chunk);
  }
  gone.removeEventListener('abort', cancel);
  await cancelled;
  if (!gone.aborted) await finish(done, answer, Buffer.concat(held), context);
}

/** The pipe has ended, so the engine is done: well or badly. */
async function finish(
  done: Promise<ChdbResult>,
  answer: StreamedAnswer | undefined,
  held: Buffer,
  context: AnswerContext,
): Promise<void> {
  try {
    const result = await done;
    if (answer === undefined) await answerWhole(context, held, summarize(result));
    else answer.end();
  } catch (error) {
    if (answer === undefined) throw error;
    await answer.breakOff(toEngineException(error));
  }
}

function summarize(result: ChdbResult): Summary {
  return { readRows: result.rowsRead, readBytes: result.bytesRead, elapsedNs: Math.round(result.elapsed * 1e9) };
}
