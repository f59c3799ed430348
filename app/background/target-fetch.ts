/**
 * One GET to a target that may be anything: every phase has its time-out, redirects are not followed, and an answer is cut off as
 * soon as it is too large. Each request has a connection of its own, so no target can use up another's.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Clock } from '../../core/ports.ts';
import type { TargetAnswer, TargetFetch, TargetRequest } from '../../core/target-fetch.ts';

/** Milliseconds, each but the first on top of the time the target takes by itself. */
export interface FetchLimits {
  connectMs: number;
  firstByteMs: number;
  totalMs: number;
}

const LIMITS: FetchLimits = { connectMs: 5000, firstByteMs: 10_000, totalMs: 20_000 };
const MAX_COMPLAINT_BYTES = 1024;
const MAX_REASON = 200;

type Ending = Pick<TargetAnswer, 'outcome' | 'reason'> & Partial<Pick<TargetAnswer, 'body' | 'complaint'>>;
type Phase = 'connecting' | 'handshake' | 'waiting' | 'body';

/** Longest that a request can take. */
export function longestMs(durationMs: number): number {
  return durationMs + LIMITS.totalMs;
}

export function createTargetFetch(clock: Clock, limits: FetchLimits = LIMITS): TargetFetch {
  return (request) => new Exchange(request, clock, limits).run();
}

class Exchange {
  readonly #request: TargetRequest;
  readonly #clock: Clock;
  readonly #limits: FetchLimits;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #phase: Phase = 'connecting';
  #end: (ending: Ending) => void = () => {};

  constructor(request: TargetRequest, clock: Clock, limits: FetchLimits) {
    this.#request = request;
    this.#clock = clock;
    this.#limits = limits;
  }

  async run(): Promise<TargetAnswer> {
    const { signal, durationMs } = this.#request;
    const { connectMs, firstByteMs, totalMs } = this.#limits;
    signal.throwIfAborted();
    const startedMs = this.#clock.monotonicMs();
    const ended = new Promise<Ending>((resolve) => {
      this.#end = resolve;
    });
    const outgoing = this.#send();
    const timers = [
      this.#clock.after(connectMs, () => {
        if (this.#phase === 'connecting' || this.#phase === 'handshake') this.#timeOut('no connection', connectMs);
      }),
      this.#clock.after(durationMs + firstByteMs, () => {
        if (this.#phase !== 'body') this.#timeOut('no answer', durationMs + firstByteMs);
      }),
      this.#clock.after(durationMs + totalMs, () => this.#timeOut('no end of the answer', durationMs + totalMs)),
    ];
    const abort = (): void => this.#end({ outcome: 'timeout', reason: '' });
    signal.addEventListener('abort', abort);
    const ending = await ended;
    signal.removeEventListener('abort', abort);
    for (const timer of timers) timer.cancel();
    outgoing.destroy();
    signal.throwIfAborted();
    const durationOfAll = this.#clock.monotonicMs() - startedMs;
    const nothing = { body: new Uint8Array(), complaint: '' };
    return { ...nothing, ...ending, bytes: this.#bytes, durationMs: durationOfAll };
  }

  #send(): { destroy(): void } {
    const { target, path } = this.#request;
    const base = new URL(target.url);
    const url = new URL(`${base.pathname.replace(/\/+$/, '')}${path}`, base.origin);
    url.username = base.username;
    url.password = base.password;
    const headers = { ...target.headers, 'accept-encoding': 'identity' };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(url, { agent: false, headers });
    outgoing.on('socket', (socket) => this.#follow(socket, url.protocol === 'https:'));
    outgoing.on('error', (error) => this.#fail(error));
    outgoing.on('response', (response) => this.#receive(response));
    outgoing.end();
    return outgoing;
  }

  #follow(socket: Socket, secure: boolean): void {
    socket.once('connect', () => {
      this.#phase = secure ? 'handshake' : 'waiting';
    });
    socket.once('secureConnect', () => {
      this.#phase = 'waiting';
    });
  }

  #receive(response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    response.on('error', (error) => this.#fail(error));
    response.on('aborted', () => this.#end(brokenOff));
    if (status === 404) return this.#end({ outcome: 'not_mounted', reason: 'it answers 404' });
    if (status >= 300 && status < 400) {
      const to = hostOf(response.headers.location, this.#request.target.url);
      return this.#end({ outcome: 'redirected', reason: `it answers ${status}${to}; redirects are not followed` });
    }
    if (status !== 200) return this.#complain(response, `it answers ${status}`);
    const { maxBytes } = this.#request;
    if (Number(response.headers['content-length'] ?? 0) > maxBytes) return this.#end(tooLarge(maxBytes));
    response.on('data', (chunk: Buffer) => {
      this.#phase = 'body';
      this.#bytes += chunk.length;
      if (this.#bytes > maxBytes) this.#end(tooLarge(maxBytes));
      else this.#chunks.push(chunk);
    });
    response.on('end', () => this.#end(this.#unpack(response.headers['content-encoding'])));
  }

  /** Reads the first words of an answer that says no. */
  #complain(response: IncomingMessage, reason: string): void {
    const end = (): void => {
      const complaint = Buffer.concat(this.#chunks).toString('utf8');
      this.#end({ outcome: 'refused', reason, complaint });
    };
    response.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      this.#chunks.push(chunk.subarray(0, MAX_COMPLAINT_BYTES));
      if (this.#bytes >= MAX_COMPLAINT_BYTES) end();
    });
    response.on('end', end);
  }

  /** Servers that compress what they were not asked to are borne, for gzip. */
  #unpack(encoding: string | undefined): Ending {
    const body = Buffer.concat(this.#chunks);
    if (encoding === undefined || encoding === 'identity') return { outcome: 'ok', reason: '', body };
    if (encoding !== 'gzip')
      return { outcome: 'refused', reason: 'it answers in a content-encoding that was not asked for' };
    const { maxBytes } = this.#request;
    try {
      return { outcome: 'ok', reason: '', body: gunzipSync(body, { maxOutputLength: maxBytes }) };
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(maxBytes) : brokenOff;
    }
  }

  #timeOut(what: string, afterMs: number): void {
    this.#end({ outcome: 'timeout', reason: `${what} within ${afterMs / 1000} s` });
  }

  #fail(error: NodeJS.ErrnoException): void {
    const { code = '', message } = error;
    if (this.#phase === 'connecting')
      this.#end({ outcome: 'unreachable', reason: UNREACHABLE[code] ?? (code || message) });
    else if (this.#phase === 'handshake') this.#end({ outcome: 'tls', reason: message.slice(0, MAX_REASON) });
    else if (code.startsWith('HPE_'))
      this.#end({ outcome: 'not_a_profile', reason: `the answer is not HTTP (${code})` });
    else this.#end(brokenOff);
  }
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its host name cannot be resolved at the moment',
  EHOSTUNREACH: 'there is no route to its host',
  ENETUNREACH: 'there is no route to its network',
  ECONNRESET: 'the connection is reset',
};

const brokenOff: Ending = { outcome: 'broken_off', reason: 'the answer ended early' };

const tooLarge = (maxBytes: number): Ending => ({
  outcome: 'too_large',
  reason: `the answer is larger than ${maxBytes} bytes`,
});

/** ` to host`, or '' where there is none; no more of a location is shown, since it may carry a token. */
function hostOf(location: string | undefined, base: string): string {
  return location !== undefined && URL.canParse(location, base) ? ` to ${new URL(location, base).host}` : '';
}
