/** Keeps the engine's process alive: starts it, waits for its first answer, starts it again when it dies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { StoreError } from '../../core/errors.ts';
import { builtPath } from '../../core/paths.ts';
import type { Clock, Log, Timer } from '../../core/ports.ts';
import { syncTokens } from './deduplication.ts';
import { keepDefinitions } from './definitions.ts';
import type { ChildMessage, ChildOptions } from './options.ts';
import { engineSocketPath } from './socket-path.ts';

export interface Backoff {
  /** Delay before the first restart; doubles with each failure in a row. */
  initialMs: number;
  maxMs: number;
  /** After this long without a failure the delay begins anew. */
  healthyMs: number;
  /** `startEmbedded` gives up when the engine has not answered by then. */
  startDeadlineMs: number;
}

export interface EmbeddedOptions {
  dataDir: string;
  clock: Clock;
  log: Log;
  /** Default 1.5 GiB. */
  memoryBytes?: number;
  /** Default 2. */
  threads?: number;
  backoff?: Partial<Backoff>;
}

export type EngineState = 'running' | 'starting' | 'backing-off' | 'stopped';

export interface EmbeddedEngine {
  readonly socketPath: string;
  pid(): number | undefined;
  /** Starts after the first one. */
  restarts(): number;
  state(): EngineState;
  /** How the process ended last, in words; undefined as long as it has not. */
  lastExit(): string | undefined;
  /** Once the tables stand: makes the tokens of loads survive a loss of power. False where the machine cannot. */
  syncTokens(): Promise<boolean>;
  /** Once the tables stand: keeps their definitions a second time, for what a full disk may leave of them. */
  keepDefinitions(): void;
  /** Lets running statements end until the deadline, then kills. Resolves when the process is gone. */
  stop(deadlineMs: number): Promise<void>;
}

const DEFAULT_BACKOFF: Backoff = { initialMs: 100, maxMs: 10_000, healthyMs: 30_000, startDeadlineMs: 30_000 };
const DEFAULT_MEMORY_BYTES = 1.5 * 1024 ** 3;
const DEFAULT_THREADS = 2;
const SLOTS = 8;
const SPARE_MS = 1000;
/** For a SIGTERM that comes from elsewhere than `stop`, which has a deadline of its own. */
const CHILD_DRAIN_MS = 30_000;

/**
 * Starts the engine on `<dataDir>/engine` and resolves when it answers. Rejects with `store_unavailable` when it does not
 * within the start deadline; the message says how it ended. Needs the built form of `child.ts`.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedEngine> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const dataDir = realpathSync(options.dataDir);
  const child: ChildOptions = {
    engineDir: join(dataDir, 'engine'),
    runDir: join(dataDir, 'run'),
    socketPath: engineSocketPath(dataDir),
    memoryBytes: Math.floor(options.memoryBytes ?? DEFAULT_MEMORY_BYTES),
    threads: options.threads ?? DEFAULT_THREADS,
    slots: SLOTS,
    drainMs: CHILD_DRAIN_MS,
  };
  mkdirSync(child.runDir, { recursive: true, mode: 0o700 });
  const supervisor = new Supervisor(child, options.clock, options.log, { ...DEFAULT_BACKOFF, ...options.backoff });
  await supervisor.start();
  return {
    socketPath: child.socketPath,
    pid: () => supervisor.child?.pid,
    restarts: () => Math.max(0, supervisor.starts - 1),
    state: () => supervisor.state,
    lastExit: () => supervisor.lastExit,
    syncTokens: () => syncTokens(child.engineDir),
    keepDefinitions: () => keepDefinitions(child.engineDir),
    stop: (deadlineMs) => supervisor.stop(deadlineMs),
  };
}

class Supervisor {
  state: EngineState = 'starting';
  child: ChildProcess | undefined;
  starts = 0;
  lastExit: string | undefined;
  /** The last thing the process said went wrong. */
  #lastError: string | undefined;
  #failures = 0;
  #timer: Timer | undefined;
  #onAnswer: (() => void) | undefined;
  readonly #options: ChildOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #backoff: Backoff;

  constructor(options: ChildOptions, clock: Clock, log: Log, backoff: Backoff) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log.child({ part: 'engine' });
    this.#backoff = backoff;
  }

  async start(): Promise<void> {
    // The clock's timers do not keep a process alive, and between two attempts there is nothing else.
    const awake = setTimeout(() => undefined, this.#backoff.startDeadlineMs + SPARE_MS);
    let deadline: Timer | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onAnswer = resolve;
        deadline = this.#clock.after(this.#backoff.startDeadlineMs, () => reject(this.#startError()));
        this.#spawn();
      });
    } catch (error) {
      await this.stop(0);
      throw error;
    } finally {
      deadline?.cancel();
      clearTimeout(awake);
    }
  }

  async stop(deadlineMs: number): Promise<void> {
    this.state = 'stopped';
    this.#timer?.cancel();
    const child = this.child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    if (deadlineMs > 0) child.kill('SIGTERM');
    const kill = deadlineMs > 0 ? this.#clock.after(deadlineMs, () => child.kill('SIGKILL')) : undefined;
    if (kill === undefined) child.kill('SIGKILL');
    await gone;
    kill?.cancel();
  }

  #startError(): StoreError {
    const why = [this.lastExit, this.#lastError].filter((part) => part !== undefined).join(': ');
    return new StoreError(
      'store_unavailable',
      0,
      `The embedded engine did not start${why === '' ? '' : `; it ${why}`}`,
    );
  }

  #spawn(): void {
    this.state = 'starting';
    this.starts++;
    const child = spawn(process.execPath, [builtPath('store/embedded/child.ts'), JSON.stringify(this.#options)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      cwd: this.#options.runDir, // the engine keeps its `__cache__` of schemas wherever it stands
      env: childEnvironment(this.#options.slots),
    });
    this.child = child;
    child.on('error', (error) => (this.#lastError = error.message));
    child.on('message', (message: ChildMessage) => {
      if (message.kind === 'listening') void this.#greet(child);
    });
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', (line) => this.#logLine(line));
    child.once('exit', (code, signal) =>
      this.#ended(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
    );
  }

  async #greet(child: ChildProcess): Promise<void> {
    try {
      await ping(this.#options.socketPath);
    } catch (error) {
      this.#log.warn({ error: String(error) }, 'the engine listens but does not answer');
      child.kill('SIGKILL');
      return;
    }
    if (this.state !== 'starting' || this.child !== child) return;
    this.state = 'running';
    this.#timer = this.#clock.after(this.#backoff.healthyMs, () => (this.#failures = 0));
    this.#onAnswer?.();
  }

  #ended(how: string): void {
    this.child = undefined;
    this.lastExit = how;
    if (this.state === 'stopped') return;
    this.#timer?.cancel();
    const delayMs = Math.min(this.#backoff.maxMs, this.#backoff.initialMs * 2 ** this.#failures);
    this.#failures++;
    this.state = 'backing-off';
    this.#log.warn({ how, delayMs }, 'the embedded engine ended and is started again');
    this.#timer = this.#clock.after(delayMs, () => this.#spawn());
  }

  /** Our own lines are JSON; whatever else comes is the engine's library talking. */
  #logLine(line: string): void {
    const { level, message, ...fields } = parseLine(line);
    if (level === 'error') this.#lastError = `${message} (${JSON.stringify(fields)})`;
    this.#log[level](fields, message);
  }
}

interface ChildLogLine {
  level: 'info' | 'warn' | 'error';
  message: string;
}

function parseLine(line: string): ChildLogLine {
  try {
    const parsed = JSON.parse(line) as Partial<ChildLogLine>;
    const { level, message } = parsed;
    if (typeof message === 'string' && (level === 'info' || level === 'warn' || level === 'error'))
      return { ...parsed, level, message };
  } catch {
    // not ours
  }
  return { level: 'warn', message: line.slice(0, 2000) };
}

/**
 * Nothing is inherited, so no secret of the environment can get there. PATH is for `mkfifo`; each running statement holds a
 * thread of the pool, and so does each cancellation.
 */
function childEnvironment(slots: number): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin',
    TZ: 'UTC',
    UV_THREADPOOL_SIZE: String(2 * slots + 4),
  };
}

function ping(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/ping', timeout: 5000 }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`/ping answered ${response.statusCode}`));
    });
    call.on('timeout', () => call.destroy(new Error('/ping timed out')));
    call.on('error', reject);
    call.end();
  });
}
