/** One attempt to tell a receiver: the signed request, and what its answer means. The sending itself is handed in. */
import { createHmac } from 'node:crypto';
import type { Message } from './message.ts';
import { webhookBody } from './message.ts';
import { reasonOf } from './rules/rule.ts';

export interface WebhookReceiver {
  name: string;
  url: string;
  /** Absolute path. */
  secretFile?: string | undefined;
}

export interface WebhookRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
}

/** What came back. `retryAfter` is the header as it stands. */
export type PostResult =
  | { kind: 'answered'; status: number; retryAfter: string | undefined }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'timeout' };

/** Sends once, follows no redirect, gives up after its time-out. Rejects only when `signal` aborts. */
export type Post = (request: WebhookRequest, signal: AbortSignal) => Promise<PostResult>;

export type Attempt = PostResult | { kind: 'no_secret'; reason: string };

export interface WebhookDeps {
  post: Post;
  /** Content of a secret file, read anew each time. */
  readSecret: (path: string) => Promise<Buffer>;
  userAgent: string;
}

/** Tries once. A receiver with a secret is never told without a signature: a secret that cannot be read is a failed attempt. */
export async function attemptWebhook(
  message: Message,
  idempotencyKey: string,
  receiver: WebhookReceiver,
  deps: WebhookDeps,
  signal: AbortSignal,
): Promise<Attempt> {
  const body = Buffer.from(webhookBody(message, receiver.name));
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    'Idempotency-Key': idempotencyKey,
    'User-Agent': deps.userAgent,
  };
  if (receiver.secretFile !== undefined) {
    try {
      headers['X-Heliograph-Signature-256'] = signatureOf(await readKey(receiver.secretFile, deps), body);
    } catch (error) {
      return { kind: 'no_secret', reason: `secret file ${receiver.secretFile}: ${reasonOf(error)}` };
    }
  }
  return deps.post({ url: receiver.url, headers, body }, signal);
}

/** `sha256=` and the lower hex HMAC over the body as sent. */
export function signatureOf(key: Buffer, body: Buffer): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

/** The content of the file without one line break at its end, which editors and `echo` leave there. */
async function readKey(path: string, { readSecret }: WebhookDeps): Promise<Buffer> {
  const content = (await readSecret(path)).toString('latin1').replace(/\r?\n$/, '');
  if (content === '') throw new Error('is empty');
  return Buffer.from(content, 'latin1');
}
