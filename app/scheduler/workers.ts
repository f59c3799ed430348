/** A bounded number of things at once, and a first-in-first-out wait for the rest. */
export class Workers<T> {
  private readonly slots: number;
  private readonly begin: (item: T) => Promise<void>;
  private busy = 0;
  private waiting: T[] = [];
  private head = 0;

  /** `begin` starts an item and settles when its slot is free again; it never rejects. */
  constructor(slots: number, begin: (item: T) => Promise<void>) {
    this.slots = slots;
    this.begin = begin;
  }

  /** Starts the item now if a slot is free, else in its turn. */
  offer(item: T): void {
    this.waiting.push(item);
    this.fill();
  }

  /** Takes back an item that still waits; says whether it did. */
  withdraw(item: T): boolean {
    const place = this.waiting.indexOf(item, this.head);
    if (place < 0) return false;
    this.waiting.splice(place, 1);
    return true;
  }

  /** Takes back everything that still waits. */
  withdrawAll(): T[] {
    const items = this.waiting.slice(this.head);
    this.waiting = [];
    this.head = 0;
    return items;
  }

  private fill(): void {
    while (this.busy < this.slots) {
      const item = this.waiting[this.head];
      if (item === undefined) return;
      this.head += 1;
      this.forgetStarted();
      this.busy += 1;
      void this.begin(item).then(() => {
        this.busy -= 1;
        this.fill();
      });
    }
  }

  /** Array.shift is O(n) on a long queue; dropping the started half at once is O(1) an item. */
  private forgetStarted(): void {
    if (this.head < 64 || this.head * 2 < this.waiting.length) return;
    this.waiting = this.waiting.slice(this.head);
    this.head = 0;
  }
}
