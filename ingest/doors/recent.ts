/** Deliveries taken lately, so that one sent again is answered without being stored again. */

export interface RecentDeliveries {
  /**
   * Runs `take` unless the same key ran lately; a second caller waits for the first one's outcome and shares its failure. Whether
   * `take` ran. A take that failed is forgotten.
   */
  once(key: string, take: () => Promise<void>): Promise<boolean>;
}

/** Remembers the newest `size` keys. A convenience: what is told twice after it forgot is still counted once, by the views. */
export function createRecentDeliveries(size: number): RecentDeliveries {
  const taken = new Map<string, Promise<void>>();
  return {
    async once(key, take) {
      const before = taken.get(key);
      if (before !== undefined) {
        await before;
        return false;
      }
      const taking = take();
      taken.set(key, taking);
      const oldest = taken.size > size ? taken.keys().next().value : undefined;
      if (oldest !== undefined) taken.delete(oldest);
      try {
        await taking;
      } catch (error) {
        taken.delete(key);
        throw error;
      }
      return true;
    },
  };
}
