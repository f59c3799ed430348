import type { HeliographError } from '../../core/errors.ts';
import type { JournalCounts, JournalStats } from './types.ts';

/** What the journal did since it was opened. */
export class Counters {
  readonly #done = { bodies: 0, items: 0, bytes: 0, commits: 0, syncs: 0, duplicateBodies: 0, duplicateBytes: 0 };
  readonly #refused: Record<keyof JournalStats['refused'], number> = {
    journal_full: 0,
    journal_unavailable: 0,
    shutting_down: 0,
  };

  committed(group: readonly { bytes: Uint8Array; items: number }[]): void {
    this.#done.commits++;
    this.#done.bodies += group.length;
    for (const { bytes, items } of group) {
      this.#done.items += items;
      this.#done.bytes += bytes.byteLength;
    }
  }

  /** A body that was acked because it had been stored before. */
  duplicate(bytes: number): void {
    this.#done.duplicateBodies++;
    this.#done.duplicateBytes += bytes;
  }

  synced(count: number): void {
    this.#done.syncs += count;
  }

  /** Bodies that broke a rule are the door's to count. */
  refused(bodies: number, { code }: HeliographError): void {
    if (code in this.#refused) this.#refused[code as keyof JournalStats['refused']] += bodies;
  }

  snapshot(): JournalCounts {
    return { ...this.#done, refused: { ...this.#refused } };
  }
}
