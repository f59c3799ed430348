/** Sends webhooks. Redirects are not followed: the operator named one address, and it is the only one that is told. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Post, PostResult, WebhookRequest } from '../../alerts/webhook.ts';
import type { Clock } from '../../core/ports.ts';

export const ATTEMPT_TIMEOUT_MS = 10_000;
/** An answer is read so that the receiver is not cut off; what it says beyond this is nobody's concern. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** `timeoutMs` bounds the attempt as a whole, name resolution and answer included. Certificates are always verified. */
export function createPost(clock: Clock, timeoutMs = ATTEMPT_TIMEOUT_MS): Post {
  return (request, signal) =>
    new Promise((resolve, reject) => {
      const abort = new AbortController();
      let settled = false;
      const end = (settle: () => void): void => {
        if (settled) return;
        settled = true;
        timer.cancel();
        signal.removeEventListener('abort', onStop);
        settle();
        abort.abort();
      };
      const onStop = (): void => end(() => reject(signal.reason as Error));
      const timer = clock.after(timeoutMs, () => end(() => resolve({ kind: 'timeout' })));
      if (signal.aborted) return onStop();
      signal.addEventListener('abort', onStop, { once: true });
      send(request, abort.signal).then(
        (result) => end(() => resolve(result)),
        (error: unknown) => end(() => resolve({ kind: 'unreachable', reason: reasonOf(error) })),
      );
    });
}

function send({ url, headers, body }: WebhookRequest, signal: AbortSignal): Promise<PostResult> {
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const options: RequestOptions = { method: 'POST', headers, signal, agent: false };
    const start = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = start(target, options, (answer) => readAnswer(answer, resolve));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The status counts once the answer is over, cut off or read far enough: it was said either way. */
function readAnswer(answer: IncomingMessage, resolve: (result: PostResult) => void): void {
  const said = (): void =>
    resolve({ kind: 'answered', status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] });
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) said();
  });
  answer.on('end', said);
  answer.on('error', said);
}

/** The system's word for it; messages of Node name address and port, never user or password. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  return inner instanceof Error ? inner.message : error.message;
}
