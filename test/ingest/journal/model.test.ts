/**
 * The journal against what it promises, over random histories on a disk that fails at random: append, seal, load and
 * delete, process kill, power loss. The model is three sets: acked, refused, loaded.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DiskJournal } from '../../../ingest/journal/types.ts';
import { body } from './body.ts';
import { failure, RecordingFiles } from './recording-files.ts';
import { openJournal, outcome, tempDir, waiting } from './support.ts';

interface PowerLoss {
  do: 'power loss';
  sizes: number[];
  calls: number;
  keep: number;
}

type Step =
  | { do: 'append'; sizes: number[]; wait: boolean }
  | { do: 'seal' }
  | { do: 'load' }
  | { do: 'fail'; after: number; operation: 'writev' | 'fdatasync' | 'create' | 'truncate'; count: number }
  | PowerLoss
  | { do: 'restart' };

const sizes = fc.array(fc.integer({ min: 8, max: 900 }), { minLength: 1, maxLength: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('append'),
      sizes,
      wait: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'seal' }) },
  { weight: 2, arbitrary: fc.constant({ do: 'load' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fail'),
      after: fc.nat(6),
      operation: fc.constantFrom('writev', 'fdatasync', 'create', 'truncate'),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('power loss'), sizes, calls: fc.nat(20), keep: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' }) },
) as fc.Arbitrary<Step>;

class History {
  readonly acked = new Set<number>();
  readonly offered = new Set<number>();
  readonly loaded = new Set<number>();
  private waits: Promise<unknown>[] = [];
  private next = 0;
  private files = new RecordingFiles();
  private dir = tempDir();
  private journal: DiskJournal | null = null;

  async run(steps: readonly Step[]): Promise<void> {
    await this.open();
    for (const one of steps) await this.step(one);
    await this.restart();
    await this.check();
  }

  private async open(): Promise<DiskJournal> {
    if (this.journal !== null) return this.journal;
    const { dir, files } = this;
    this.journal = await openJournal(dir, { segmentMaxBytes: 2000, segmentMaxAgeMs: 60_000 }, { files });
    files.adopt(dir);
    return this.journal;
  }

  private async step(one: Step): Promise<void> {
    const journal = await this.open();
    if (one.do === 'append') await this.append(journal, one.sizes, one.wait);
    else if (one.do === 'seal') await Promise.all([...this.waits, this.sealUnlessStuck(journal)]);
    else if (one.do === 'load') await this.load(journal);
    else if (one.do === 'fail') this.fail(one.operation, one.after, one.count);
    else if (one.do === 'restart') await this.restart();
    else await this.losePower(journal, one);
  }

  private async append(journal: DiskJournal, sizes: number[], wait: boolean): Promise<void> {
    const lane = journal.lane('traces', 'protobuf', '');
    for (const size of sizes) {
      const id = this.next++;
      this.offered.add(id);
      const { acked } = this;
      this.waits.push(outcome(lane.append(body(id, size))).then((answer) => (answer === 'ok' ? acked.add(id) : acked)));
    }
    if (wait) await Promise.all(this.waits.splice(0));
  }

  private fail(operation: string, after: number, count: number): void {
    let calls = 0;
    this.files.fault = (asked) => {
      if (asked !== operation) return undefined;
      calls++;
      if (calls > after && calls <= after + count) throw failure(calls % 2 === 0 ? 'EIO' : 'ENOSPC');
      return undefined;
    };
  }

  /** A segment whose cut fails waits for a second attempt; the others are sealed. */
  private sealUnlessStuck(journal: DiskJournal): Promise<unknown> {
    this.files.fault = () => undefined;
    return journal.sealAll();
  }

  private async load(journal: DiskJournal): Promise<void> {
    const [segment] = journal.sealed();
    if (segment === undefined) return;
    for await (const { bytes, crcOk } of journal.readBodies(segment)) {
      const id = bytes.readUInt32LE(0);
      expect(crcOk).toBe(true);
      expect(this.loaded.has(id)).toBe(false);
      this.loaded.add(id);
    }
    await journal.remove(segment.name);
  }

  private async restart(): Promise<void> {
    this.files.fault = () => undefined;
    await Promise.all(this.waits.splice(0));
    await (await this.open()).close(60_000);
    this.files = new RecordingFiles();
    this.journal = null;
  }

  /** Appends, and goes on from what the disk holds for certain at the `calls`-th file operation, and some of the rest. */
  private async losePower(journal: DiskJournal, { sizes, calls, keep }: PowerLoss): Promise<void> {
    const { files } = this;
    const left: { dir: string; acked: number[] }[] = [];
    let state = keep;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const stop = () => {
      const dir = tempDir();
      files.afterPowerLoss(dir, random);
      left.push({ dir, acked: [...this.acked] });
    };
    let seen = 0;
    files.fault = () => {
      if (seen++ === calls) stop();
      return undefined;
    };
    await this.append(journal, sizes, true);
    if (left.length === 0) stop();
    await journal.close(60_000);
    const [after] = left;
    if (after === undefined) throw new Error('the power was never lost');
    this.acked.clear();
    for (const id of after.acked) this.acked.add(id);
    this.files = new RecordingFiles();
    this.dir = after.dir;
    this.journal = null;
    await this.check();
  }

  private async check(): Promise<void> {
    const journal = await this.open();
    const ids = (await waiting(journal)).map(([id]) => id);
    const kept = new Set(ids);
    expect(ids).toHaveLength(kept.size);
    expect([...this.acked].filter((id) => !kept.has(id) && !this.loaded.has(id))).toEqual([]);
    expect(ids.filter((id) => !this.offered.has(id))).toEqual([]);
    expect(journal.recovered.left).toBe(0);
  }
}

test('whatever happens, an acked body waits in the journal or was loaded, intact and once', async () => {
  const history = fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), (steps) => new History().run(steps));
  await fc.assert(history, { numRuns: 100, seed: 20_260_301 });
}, 120_000);
