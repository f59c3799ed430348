/** A real Heliograph with a data directory of its own, that can be killed, stopped, started again and asked what it stored. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf } from '../../../bench/support/process-stats.ts';
import type { Store } from '../../../core/ports.ts';
import { createStore } from '../../../store/client.ts';
import { engineSocketPath } from '../../../store/embedded/socket-path.ts';
import { eventually, type Launched, launchHeliograph, untilOpen } from '../../support/heliograph-process.ts';
import { quietLog } from '../../support/quiet-log.ts';

export type Victim = 'main' | 'engine' | 'both';

/** A segment that the store refused for half a minute is tried again after one minute. */
const SETTLE_LIMIT_MS = 120_000;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Station {
  readonly dataDir: string;
  #launched: Launched | undefined;
  #otlpUrl: string | undefined;
  #pageUrl = '';
  /** Undone, last first, when the station is closed. */
  readonly #undo: (() => void)[] = [];

  private constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  /** An empty data directory; nothing runs yet. */
  static create(): Station {
    // Short, so that the engine's socket fits into the data directory.
    return new Station(realpathSync(mkdtempSync(join(tmpdir(), 'hg-faults-'))));
  }

  get journalDir(): string {
    return join(this.dataDir, 'journal');
  }

  get quarantineDir(): string {
    return join(this.journalDir, 'quarantine');
  }

  get socketPath(): string {
    mkdirSync(this.dataDir, { recursive: true });
    return engineSocketPath(this.dataDir);
  }

  /** Base of the OTLP door; undefined while there is none. */
  get otlpUrl(): string | undefined {
    return this.#otlpUrl;
  }

  get running(): boolean {
    return this.#launched !== undefined;
  }

  /** Starts the process and waits for nothing. */
  launch(env: Record<string, string> = {}): Launched {
    this.#launched = launchHeliograph(this.dataDir, { HELIOGRAPH_SELF_TELEMETRY_ENABLED: 'false', ...env });
    return this.#launched;
  }

  /** Waits for the doors of what was launched. */
  async open(): Promise<void> {
    const launched = this.#launched;
    if (launched === undefined) throw new Error('nothing was launched');
    const { pageUrl, otlpUrl } = await untilOpen(launched, this.dataDir, false);
    if (this.#launched !== launched) return;
    this.#pageUrl = pageUrl;
    this.#otlpUrl = otlpUrl;
  }

  async start(env: Record<string, string> = {}): Promise<void> {
    this.launch(env);
    await this.open();
  }

  /** Process ids of the engine: none while it is being started again. */
  engines(): number[] {
    return this.#launched === undefined ? [] : childrenOf(this.#launched.pid);
  }

  /** `kill -9`, by process id. What held the doors is gone when it resolves. */
  async kill(victim: Victim): Promise<void> {
    const launched = this.#launched;
    if (launched === undefined) return;
    const engines = this.engines();
    const signal = (pid: number): void => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has ended by itself
      }
    };
    if (victim !== 'engine') {
      this.#otlpUrl = undefined;
      signal(launched.pid);
    }
    if (victim !== 'main') for (const pid of engines) signal(pid);
    if (victim === 'engine') return;
    this.#launched = undefined;
    await launched.exited;
    // An engine that outlives its parent for a moment must not be met by the next one.
    await eventually(async () => (engines.some(isAlive) ? undefined : true), 10_000).catch(() =>
      engines.forEach(signal),
    );
  }

  /** In order, by SIGTERM. */
  async stop(): Promise<void> {
    const launched = this.#launched;
    if (launched === undefined) return;
    this.#otlpUrl = undefined;
    launched.child.kill('SIGTERM');
    await launched.exited;
    this.#launched = undefined;
  }

  onClose(undo: () => void): void {
    this.#undo.unshift(undo);
  }

  /** Ends the processes and removes the directory. */
  async close(): Promise<void> {
    await this.kill('both');
    for (const undo of this.#undo.splice(0)) undo();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** Runs `use` with a client of the engine. */
  async withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const store = createStore({ socketPath: this.socketPath, log: quietLog });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  /** Waits until the journal is empty and the engine answers. Throws with what the process last said. */
  async settled(): Promise<void> {
    try {
      await eventually(async () => {
        const response = await fetch(`${this.#pageUrl}/api/status`, { signal: AbortSignal.timeout(5000) });
        const { journal, foreignSpans } = (await response.json()) as {
          journal: { bytes: number };
          foreignSpans: number | null;
        };
        return journal.bytes === 0 && foreignSpans !== null ? true : undefined;
      }, SETTLE_LIMIT_MS);
    } catch (error) {
      const tail = this.#launched?.stderr().slice(-3000) ?? 'it does not run';
      throw new Error(`the journal did not empty: ${tail}`, { cause: error });
    }
  }

  stderr(): string {
    return this.#launched?.stderr() ?? '';
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
