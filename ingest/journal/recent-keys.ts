/**
 * A set of 128-bit keys, each with the time it was added, that forgets the oldest first. Open addressing over typed arrays: 40 to 56 bytes a
 * key and no object, where a Map of strings takes some 200 and gives the garbage collector a million things to look at.
 */

const MIN_CAPACITY = 1024;
const WORDS = 4;
const NONE = -1;

export class RecentKeys {
  readonly #keepMs: number;
  readonly #maxCapacity: number;
  /** A ring in the order of adding: key words and times. */
  #words: Uint32Array;
  #atMs: Float64Array;
  #head = 0;
  #count = 0;
  /** Key -> place in the ring, at twice its size; -1 where nothing stands. */
  #table: Int32Array;
  #evicted = 0;

  /** `maxKeys` is rounded up to a power of two. */
  constructor(keepMs: number, maxKeys: number) {
    this.#keepMs = keepMs;
    this.#maxCapacity = 2 ** Math.ceil(Math.log2(Math.max(MIN_CAPACITY, maxKeys)));
    this.#words = new Uint32Array(MIN_CAPACITY * WORDS);
    this.#atMs = new Float64Array(MIN_CAPACITY);
    this.#table = new Int32Array(MIN_CAPACITY * 2).fill(NONE);
  }

  /** Keys held, some of which may be past their time. */
  get size(): number {
    return this.#count;
  }

  /** Keys that had to go before their time because the set was full. */
  get evicted(): number {
    return this.#evicted;
  }

  has(key: Uint32Array, nowMs: number): boolean {
    const at = this.#table[this.#find(key)] as number;
    return at !== NONE && nowMs - (this.#atMs[at] as number) < this.#keepMs;
  }

  /** Adds a key. A key that is held keeps its time. Where `nowMs` goes back from call to call, older keys may be held past their time, unseen. */
  add(key: Uint32Array, nowMs: number): void {
    this.#expire(nowMs);
    const capacity = this.#atMs.length;
    if (this.#count === capacity) {
      if (capacity < this.#maxCapacity) this.#resize(capacity * 2);
      else {
        this.#dropOldest();
        this.#evicted++;
      }
    } else if (capacity > MIN_CAPACITY && this.#count * 8 < capacity) this.#resize(capacity / 2);
    if (this.has(key, nowMs)) return;
    this.forget(key);
    const place = this.#find(key);
    const at = (this.#head + this.#count) & (this.#atMs.length - 1);
    this.#words.set(key, at * WORDS);
    this.#atMs[at] = nowMs;
    this.#table[place] = at;
    this.#count++;
  }

  /** Takes a key out; its place in the ring goes with its time. */
  forget(key: Uint32Array): void {
    const place = this.#find(key);
    const at = this.#table[place] as number;
    if (at === NONE) return;
    this.#atMs[at] = Number.NaN;
    this.#unlink(place);
  }

  #expire(nowMs: number): void {
    while (this.#count > 0) {
      const atMs = this.#atMs[this.#head] as number;
      if (nowMs - atMs < this.#keepMs) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const isLinked = !Number.isNaN(this.#atMs[this.#head]);
    if (isLinked) this.#unlink(this.#find(this.#words.subarray(this.#head * WORDS, (this.#head + 1) * WORDS)));
    this.#head = (this.#head + 1) & (this.#atMs.length - 1);
    this.#count--;
  }

  /** The place in the table where the key stands or would stand. Keys are hashes, so a word of them spreads well. */
  #find(key: Uint32Array): number {
    const mask = this.#table.length - 1;
    let place = (key[0] as number) & mask;
    for (let at = this.#table[place] as number; at !== NONE; at = this.#table[place] as number) {
      if (this.#equals(at, key)) break;
      place = (place + 1) & mask;
    }
    return place;
  }

  #equals(at: number, key: Uint32Array): boolean {
    const from = at * WORDS;
    const words = this.#words;
    return (
      words[from] === key[0] && words[from + 1] === key[1] && words[from + 2] === key[2] && words[from + 3] === key[3]
    );
  }

  /** Empties a place and moves what stands behind it up, so that no search ends before its key. */
  #unlink(from: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let gap = from;
    for (let place = (from + 1) & mask; table[place] !== NONE; place = (place + 1) & mask) {
      const home = (this.#words[(table[place] as number) * WORDS] as number) & mask;
      const isBetween = ((place - home) & mask) < ((place - gap) & mask);
      if (isBetween) continue;
      table[gap] = table[place] as number;
      gap = place;
    }
    table[gap] = NONE;
  }

  #resize(capacity: number): void {
    const [words, times, head, count] = [this.#words, this.#atMs, this.#head, this.#count];
    this.#words = new Uint32Array(capacity * WORDS);
    this.#atMs = new Float64Array(capacity);
    this.#table = new Int32Array(capacity * 2).fill(NONE);
    this.#head = 0;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      const old = (head + i) & (times.length - 1);
      if (Number.isNaN(times[old])) continue;
      const key = words.subarray(old * WORDS, (old + 1) * WORDS);
      this.#words.set(key, this.#count * WORDS);
      this.#atMs[this.#count] = times[old] as number;
      this.#table[this.#find(key)] = this.#count;
      this.#count++;
    }
  }
}
