/** Senders that put numbered bodies on a station's OTLP door and keep the fate of each. */
import { Agent, request } from 'node:http';
import { decodeTraceResponse } from '../../support/otlp-decode.ts';
import { type Draw, seeded } from '../../support/seeded.ts';
import { type NumberedBody, type Numbering, numberedBody } from './numbered.ts';
import { sleep } from './station.ts';

/** `acked`: 200. `refused`: another answer. `unanswered`: no whole answer, so it may be stored or not. */
export type Fate = 'acked' | 'refused' | 'unanswered';

export interface SentBody extends NumberedBody {
  fate: Fate;
  /** Spans that the ack took in: all but the rejected ones. 0 without an ack. */
  accepted: number;
  attempts: number;
}

export interface LoadOptions {
  numbering: Numbering;
  seed: number;
  /** Where the door is now; undefined while there is none. */
  url(): string | undefined;
  /** Sends every body without an ack again, byte for byte, until it has one. */
  retry: boolean;
  senders?: number;
}

const SENDERS = 6;
const ANSWER_LIMIT_MS = 20_000;
/** Pause after an answer that was no ack, and while there is no door. */
const PAUSE_MS = 20;
/** Ample for some hundred bodies a second, and a bound on what a round counts. */
const BODY_PAUSE_MS = 4;

export class Load {
  readonly bodies: SentBody[] = [];
  readonly #options: LoadOptions;
  #stopping = false;
  #running: Promise<void>[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get numbering(): Numbering {
    return this.#options.numbering;
  }

  get acked(): number {
    return this.bodies.filter(({ fate }) => fate === 'acked').length;
  }

  start(): void {
    const { senders = SENDERS, seed } = this.#options;
    this.#running = Array.from({ length: senders }, (_, index) => this.#send(seeded(seed + index + 1)));
  }

  /** No new bodies; resolves when those under way have their fate (with `retry`: their ack). */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  async #send(draw: Draw): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!this.#stopping) {
      const numbered = numberedBody(this.#options.numbering, this.bodies.length + 1, draw);
      const body: SentBody = { ...numbered, fate: 'unanswered', accepted: 0, attempts: 0 };
      this.bodies.push(body);
      await this.#deliver(agent, body, draw);
      await sleep(body.fate === 'acked' ? BODY_PAUSE_MS : PAUSE_MS);
    }
    agent.destroy();
  }

  async #deliver(agent: Agent, body: SentBody, draw: Draw): Promise<void> {
    for (;;) {
      const url = this.#options.url();
      if (url !== undefined) {
        body.attempts += 1;
        // A sender whose connection breaks behind the body never learns of its ack.
        const hangUpMs = this.#options.retry && draw.chance(0.1) ? draw.below(30) : undefined;
        const answer = await post(agent, `${url}/v1/traces`, body, hangUpMs);
        body.fate = answer.fate;
        body.accepted = answer.accepted;
      }
      if (body.fate === 'acked' || (url !== undefined && !this.#options.retry)) return;
      if (url === undefined && this.#stopping && !this.#options.retry) return;
      await sleep(PAUSE_MS);
    }
  }
}

function post(
  agent: Agent,
  url: string,
  { wire, gzip, spans }: SentBody,
  hangUpMs: number | undefined,
): Promise<{ fate: Fate; accepted: number }> {
  return new Promise((resolve) => {
    const none = (): void => resolve({ fate: 'unanswered', accepted: 0 });
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-length': wire.length,
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    };
    const outgoing = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', none);
      response.on('close', none); // later than `end` where there is one
      response.on('end', () => {
        if (!response.complete) return none();
        if (response.statusCode !== 200) return resolve({ fate: 'refused', accepted: 0 });
        const { rejectedSpans } = decodeTraceResponse(Buffer.concat(chunks));
        resolve({ fate: 'acked', accepted: spans - rejectedSpans });
      });
    });
    outgoing.on('error', none);
    outgoing.setTimeout(ANSWER_LIMIT_MS, () => outgoing.destroy());
    outgoing.end(wire);
    if (hangUpMs !== undefined) setTimeout(() => outgoing.destroy(), hangUpMs);
  });
}
