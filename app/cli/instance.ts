/** The running instance, seen from another process of the same machine. */
import { join } from 'node:path';
import { type ErrorCode, ERRORS, HeliographError } from '../../core/errors.ts';
import type { Config } from '../config/schema.ts';

/** What a question to the instance came to. */
export type Reply =
  /** No connection: nobody listens there. */
  | { kind: 'down'; reason: string }
  /** An answer; `json` is undefined where the body is not JSON. */
  | { kind: 'answer'; status: number; date: string | null; json: unknown };

const TIMEOUT_MS = 5_000;

/** Where the page and the API of this configuration answer; an instance on a free port says which it took. */
export function instanceUrl(config: Config, readFile: (path: string) => string | undefined): string | undefined {
  if (config.port !== 0) return `http://${hostForClients(config.bind)}:${config.port}`;
  const text = readFile(join(config.dataDir, 'instance.json'));
  if (text === undefined) return undefined;
  const { pageUrl } = JSON.parse(text) as { pageUrl: string };
  return pageUrl;
}

/** A bind address as a client uses it: wildcards are reached by loopback, IPv6 stands in brackets. */
export function hostForClients(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1';
  if (bind === '::') return '[::1]';
  return bind.includes(':') ? `[${bind}]` : bind;
}

/** Asks for a path of the instance, with the token as Basic password. A connection that fails is an answer of its own. */
export async function ask(
  baseUrl: string,
  path: string,
  token: string | undefined,
  method: 'GET' | 'POST' = 'GET',
): Promise<Reply> {
  const headers: Record<string, string> = { accept: 'application/json', connection: 'close' };
  if (token !== undefined) headers['authorization'] = `Basic ${Buffer.from(`heliograph:${token}`).toString('base64')}`;
  if (method === 'POST') headers['content-type'] = 'application/json';
  try {
    const response = await fetch(baseUrl + path, {
      method,
      headers,
      ...(method === 'POST' && { body: '{}' }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return {
      kind: 'answer',
      status: response.status,
      date: response.headers.get('date'),
      json: parse(await response.text()),
    };
  } catch (error) {
    return { kind: 'down', reason: reasonOf(error) };
  }
}

/** The JSON of an answer, or throws what went wrong, as a code of the error table. */
export async function askOrThrow(
  baseUrl: string,
  path: string,
  token: string | undefined,
  method: 'GET' | 'POST' = 'GET',
): Promise<unknown> {
  const reply = await ask(baseUrl, path, token, method);
  if (reply.kind === 'down') {
    const message = `no Heliograph answers at ${baseUrl} (${reply.reason}); start one with: heliograph serve`;
    throw new HeliographError('store_unavailable', message);
  }
  if (reply.status === 200 && reply.json !== undefined) return reply.json;
  if (reply.status === 401)
    throw new HeliographError('unauthenticated', `${baseUrl} wants its token: set HELIOGRAPH_TOKEN`);
  const said = (reply.json as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  if (isErrorCode(said?.code)) throw new HeliographError(said.code, String(said.message));
  throw new HeliographError('bad_request', `${baseUrl}${path} answered ${reply.status} and not as Heliograph does`);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
