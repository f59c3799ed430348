/**
 * A proxy that takes the engine's socket for itself and passes everything on, but for loads: those it may refuse, hold
 * back, cut short, or apply and then keep the answer of. The loader and the engine are the real ones.
 */
import { renameSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type Draw, seeded } from '../../support/seeded.ts';
import { eventually } from '../../support/heliograph-process.ts';
import { type Fault, underLoad } from './fault.ts';
import { type Station, sleep } from './station.ts';

const TRICKS = ['refuse', 'hold', 'error', 'busy', 'cut', 'keep the answer', 'half an answer'] as const;
type Trick = (typeof TRICKS)[number];

class Between {
  readonly #path: string;
  readonly #behind: string;
  readonly #server: Server;
  /** Decides what becomes of a load; undefined: nothing. */
  trick: () => Trick | undefined = () => undefined;
  played: Trick[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#behind = `${path}.behind`;
    this.#server = createServer((asked, answer) => this.#pass(asked, answer));
  }

  /** Takes the place of an engine that listens; a socket keeps listening under its new name. */
  async open(): Promise<void> {
    renameSync(this.#path, this.#behind);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, resolve);
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    rmSync(this.#behind, { force: true });
  }

  #pass(asked: IncomingMessage, answer: ServerResponse): void {
    const trick = asked.url?.includes('insert_deduplication_token') === true ? this.trick() : undefined;
    if (trick !== undefined) this.played.push(trick);
    asked.on('error', () => undefined);
    answer.on('error', () => undefined);
    if (trick === 'refuse') return void asked.socket.destroy();
    if (trick === 'error') return refuse(answer, 500, '241', 'Code: 241. DB::Exception: Memory limit (total) exceeded');
    if (trick === 'busy') return refuse(answer, 503, undefined, 'try again later');
    if (trick === 'hold') return void setTimeout(() => this.#forward(asked, answer, trick), 700);
    this.#forward(asked, answer, trick);
  }

  #forward(asked: IncomingMessage, answer: ServerResponse, trick: Trick | undefined): void {
    const { method, url, headers } = asked;
    const outgoing = request({ socketPath: this.#behind, method, path: url, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => answer.destroy());
      response.on('end', () => {
        if (trick === 'keep the answer') return void answer.destroy();
        const body = Buffer.concat(chunks);
        const { 'transfer-encoding': _chunked, ...rest } = response.headers;
        const promised = trick === 'half an answer' ? body.length + 100 : body.length;
        answer.writeHead(response.statusCode ?? 502, { ...rest, 'content-length': promised });
        answer.write(body, () => (trick === 'half an answer' ? answer.destroy() : answer.end()));
      });
    });
    outgoing.on('error', () => answer.destroy());
    if (trick === 'cut') setTimeout(() => (outgoing.destroy(), answer.destroy()), 5 + ((url?.length ?? 0) % 40));
    asked.pipe(outgoing);
  }
}

function refuse(answer: ServerResponse, status: number, code: string | undefined, text: string): void {
  answer.writeHead(status, code === undefined ? {} : { 'x-clickhouse-exception-code': code });
  answer.end(text);
}

/** Starts the station with a proxy in front of its engine before its loader has said a word. */
async function startBetween(station: Station): Promise<Between> {
  rmSync(station.socketPath, { force: true }); // of the last run: what appears is the new engine's
  station.launch();
  await eventually(async () => (station.stderr().includes('the engine is listening') ? true : undefined), 30_000);
  const between = new Between(station.socketPath);
  await between.open();
  await station.open();
  return between;
}

export const BETWEEN: readonly Fault[] = [
  {
    kind: 'store-between',
    weight: 3,
    async run(round) {
      const station = await round.stations.common();
      await station.stop();
      const between = await startBetween(station);
      const draw: Draw = seeded(round.seed);
      try {
        return await underLoad(round, station, async () => {
          const probability = draw.pick([0.3, 0.6, 0.9]);
          between.trick = () => (draw.chance(probability) ? draw.pick(TRICKS) : undefined);
          await eventually(async () => (between.played.length > 0 ? true : undefined)); // the store is prepared first
          await sleep(draw.between(500, 2000));
          if (draw.chance(0.3)) {
            await station.kill('main');
            await station.start(); // without the proxy
          }
          between.trick = () => undefined;
          round.note(between.played.join(', '));
        });
      } finally {
        await station.stop(); // what comes next speaks to the engine itself
        between.close();
      }
    },
  },
];
