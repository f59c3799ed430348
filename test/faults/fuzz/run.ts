/**
 * Runs mutated bodies through the door and what passes into the engine: no crash, no hang, bounded memory, and the engine
 * stores exactly what the door said. What the engine cannot read must end in quarantine, alone.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REWRITERS } from '../../../collectors/index.ts';
import { assetPath } from '../../../core/paths.ts';
import type { BodyFormat, Store } from '../../../core/ports.ts';
import { type TestEngine, startMigratedEngine } from '../../support/engine.ts';
import { type BodySource, bodyAt, type FuzzBody } from './body.ts';
import { type FuzzDoor, openDoor } from './door.ts';
import type { BatchAnswer, BatchOrder } from './door-child.ts';
import { heldBy, loadAll } from './load.ts';
import { findOne, shrinkBytes } from './shrink.ts';

export interface FuzzOptions {
  format: BodyFormat;
  bodies: number;
  /** Number of the first body; 0 where absent. */
  from?: number;
  seed: number;
  /** Unix ms that start times lie before; now where absent. The same seed and time give the same bodies. */
  nowMs?: number | undefined;
  batch?: number;
  /** Where cases go that break a promise; undefined: nowhere. */
  casesDir?: string;
  say(line: string): void;
}

export interface FuzzReport {
  bodies: number;
  passed: number;
  refused: Record<string, number>;
  acceptedSpans: number;
  storedSpans: number;
  quarantined: number;
  /** Reasons of the engine, each with how often. */
  quarantineReasons: Record<string, number>;
  violations: string[];
  longestMs: number;
  longestIndex: number;
  peakMiB: number;
  engineMiB: number;
  seconds: number;
}

const HANG_MS = 30_000;
const HEAP_MIB = 256;
/** The door's process may hold this much: its heap, the bodies of one batch on their way to the disk, and Node itself. */
const PEAK_MIB = 640;
const CASES_MAX = 5;

/** Whether the lane of this form exists in this build. */
export function isTaken(format: BodyFormat): boolean {
  return REWRITERS['otlp_traces']?.[format] !== undefined;
}

export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const engine = await startMigratedEngine();
  try {
    return await new Fuzz(options, engine).run();
  } finally {
    await engine.stop();
  }
}

class Fuzz {
  readonly #options: FuzzOptions;
  readonly #engine: TestEngine;
  readonly #store: Store;
  readonly #source: BodySource;
  readonly #report: FuzzReport;
  #child: ChildProcess | undefined;
  #children = 0;
  #saved = 0;
  #shrinks = 0;
  #door: FuzzDoor | undefined;

  constructor(options: FuzzOptions, engine: TestEngine) {
    this.#options = options;
    this.#engine = engine;
    this.#store = engine.store;
    this.#source = { format: options.format, seed: options.seed, nowMs: options.nowMs ?? Date.now() };
    this.#report = {
      bodies: 0,
      passed: 0,
      refused: {},
      acceptedSpans: 0,
      storedSpans: 0,
      quarantined: 0,
      quarantineReasons: {},
      violations: [],
      longestMs: 0,
      longestIndex: -1,
      peakMiB: 0,
      engineMiB: 0,
      seconds: 0,
    };
  }

  async run(): Promise<FuzzReport> {
    const { bodies, from: first = 0, batch = 4000 } = this.#options;
    const startedMs = performance.now();
    this.#options.say(
      `these bodies again: --format ${this.#source.format} --seed ${this.#source.seed} --now ${this.#source.nowMs}`,
    );
    const sizeAt = (at: number): number => Math.min(batch, bodies - at);
    let done: string[] = [];
    let next = this.#walk(first, sizeAt(0), done);
    for (let at = 0; at < bodies; at += batch) {
      const answer = await next;
      // The door is at the next batch while the engine loads this one.
      if (at + batch < bodies) next = this.#walk(first + at + batch, sizeAt(at + batch), done);
      done = [];
      if (answer !== undefined) {
        await this.#account(answer, first + at, sizeAt(at));
        done = answer.segments.map(({ name }) => name);
      }
      this.#progress(at + batch, startedMs);
    }
    this.#child?.disconnect();
    const report = this.#report;
    if (report.peakMiB > PEAK_MIB)
      report.violations.push(`the door's process held ${report.peakMiB.toFixed(0)} MiB, its bound is ${PEAK_MIB}`);
    report.seconds = (performance.now() - startedMs) / 1000;
    return report;
  }

  #progress(until: number, startedMs: number): void {
    const { batch = 4000, bodies, say } = this.#options;
    if (until % (batch * 10) !== 0 && until < bodies) return;
    const { passed, storedSpans, quarantined, violations } = this.#report;
    const rate = (Math.min(until, bodies) / (performance.now() - startedMs)) * 1000;
    say(
      `${Math.min(until, bodies)} bodies, ${passed} passed, ${storedSpans} spans stored, ${quarantined} quarantined, ` +
        `${violations.length} violations, ${rate.toFixed(0)} bodies/s`,
    );
  }

  /** One batch through the door's process; undefined where it died or hung, which is then a violation with its body. */
  async #walk(from: number, count: number, done: readonly string[]): Promise<BatchAnswer | undefined> {
    const answer = await this.#ask(from, count, done);
    if (answer !== undefined) return answer;
    const indices = Array.from({ length: count }, (_, index) => from + index);
    const culprit = await findOne(
      indices,
      async (some) => (await this.#ask(some[0] ?? 0, some.length, [])) === undefined,
    );
    if (culprit === undefined)
      this.#violation(
        `the door's process died or hung in bodies ${from} to ${from + count - 1}, and did not in either half of them`,
        undefined,
      );
    else this.#violation(`the door's process died or hung at body ${culprit}`, bodyAt(this.#source, culprit).bytes);
    return undefined;
  }

  async #ask(from: number, count: number, done: readonly string[]): Promise<BatchAnswer | undefined> {
    const child = this.#child ?? (await this.#spawn());
    const answered = new Promise<BatchAnswer | undefined>((resolve) => {
      const timer = setTimeout(() => resolve(undefined), HANG_MS);
      const settle = (answer: BatchAnswer | undefined): void => {
        clearTimeout(timer);
        child.off('message', settle).off('exit', gone);
        resolve(answer);
      };
      const gone = (): void => settle(undefined);
      child.on('message', settle).on('exit', gone);
    });
    child.send({
      team: `${this.#options.format}-${from}-${count}`,
      source: this.#source,
      from,
      count,
      done,
    } satisfies BatchOrder);
    const answer = await answered;
    if (answer === undefined) {
      child.kill('SIGKILL');
      this.#child = undefined;
    }
    return answer;
  }

  async #spawn(): Promise<ChildProcess> {
    this.#children += 1;
    const dir = join(this.#engine.dir, `door-${this.#children}`);
    const child = fork(assetPath('test/faults/fuzz/door-child.ts'), [dir], {
      execArgv: ['--import', 'tsx', `--max-old-space-size=${HEAP_MIB}`],
      serialization: 'advanced',
    });
    await new Promise((resolve) => child.once('message', resolve));
    this.#child = child;
    return child;
  }

  /** Loads what a batch left in the journal and holds it against what the door said. */
  async #account(answer: BatchAnswer, from: number, count: number): Promise<void> {
    const report = this.#report;
    report.bodies += count;
    report.passed += answer.passed;
    report.acceptedSpans += answer.accepted;
    report.peakMiB = Math.max(report.peakMiB, answer.peakMiB);
    if (answer.longestMs > report.longestMs)
      [report.longestMs, report.longestIndex] = [answer.longestMs, answer.longestIndex];
    for (const [code, times] of Object.entries(answer.refused))
      report.refused[code] = (report.refused[code] ?? 0) + times;
    for (const { index, message } of answer.crashes)
      this.#violation(`body ${index}: ${message}`, bodyAt(this.#source, index).bytes);
    const { items, quarantined } = await loadAll(this.#store, this.#engine.dir, answer.segments);
    const held = await heldBy(this.#store, answer.team);
    report.storedSpans += held.spans;
    report.quarantined += quarantined.length;
    for (const { reason, bytes } of quarantined) {
      const kind = reason.replace(/\d+/g, 'N').slice(0, 100);
      const known = report.quarantineReasons[kind] ?? 0;
      report.quarantineReasons[kind] = known + 1;
      if (known === 0) this.#save('quarantined', reason, bytes);
    }
    const kept = quarantined.reduce((sum, body) => sum + body.items, 0);
    const agree =
      held.spans === items && held.rollup === items && held.bins === items && answer.accepted === items + kept;
    if (agree) return;
    const told = `the door accepted ${answer.accepted}, ${kept} of them are in quarantine, the engine holds ${held.spans}, the rollup ${held.rollup}, its bins ${held.bins}`;
    await this.#minimise(told, from, count);
  }

  /** Finds the body that door and engine disagree on, and its smallest form. */
  async #minimise(told: string, from: number, count: number): Promise<void> {
    const bodies = Array.from({ length: count }, (_, index) => bodyAt(this.#source, from + index));
    const culprit = await findOne(bodies, (some) => this.#disagree(some));
    if (culprit === undefined) return this.#violation(`bodies ${from} to ${from + count - 1}: ${told}`, undefined);
    const encoding = culprit.encoding;
    const bytes = await shrinkBytes(culprit.bytes, (shorter) => this.#disagree([{ bytes: shorter, encoding }]));
    this.#violation(told, bytes);
  }

  async #disagree(bodies: readonly FuzzBody[]): Promise<boolean> {
    this.#door ??= await openDoor(join(this.#engine.dir, 'shrinking'));
    const team = `shrink-${++this.#shrinks}`;
    const numbered = bodies.map((body, index) => ({ index, body }));
    const { accepted, segments } = await this.#door.take(numbered, this.#options.format, team);
    const { quarantined } = await loadAll(this.#store, this.#engine.dir, segments);
    for (const { name } of segments) await this.#door.journal.remove(name);
    const kept = quarantined.reduce((sum, body) => sum + body.items, 0);
    const held = await heldBy(this.#store, team);
    return [held.spans, held.rollup, held.bins].some((spans) => spans !== accepted - kept);
  }

  #violation(what: string, bytes: Buffer | undefined): void {
    this.#report.violations.push(what);
    if (bytes === undefined) this.#options.say(`VIOLATION: ${what}`);
    else this.#save('violation', what, bytes);
  }

  #save(kind: string, what: string, bytes: Buffer): void {
    const { casesDir, format, seed, say } = this.#options;
    const hex = bytes.length <= 200 ? `: ${bytes.toString('hex')}` : '';
    say(`${kind.toUpperCase()}: ${what} (${bytes.length} bytes${hex})`);
    if (casesDir === undefined || this.#saved >= CASES_MAX) return;
    this.#saved += 1;
    mkdirSync(casesDir, { recursive: true });
    writeFileSync(join(casesDir, `${kind}-${format}-${seed}-${this.#saved}.bin`), bytes);
  }
}
