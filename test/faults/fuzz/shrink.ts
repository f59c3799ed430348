/** Makes a case small: first which body of many, then which bytes of it. */

/** The first body for which `isBad` holds alone; undefined where only several together are. */
export async function findOne<T>(
  all: readonly T[],
  isBad: (some: readonly T[]) => Promise<boolean>,
): Promise<T | undefined> {
  let some = all;
  while (some.length > 1) {
    const half = some.slice(0, some.length >> 1);
    if (await isBad(half)) some = half;
    else {
      const rest = some.slice(some.length >> 1);
      if (!(await isBad(rest))) return undefined;
      some = rest;
    }
  }
  return some[0];
}

/** Takes stretches out of `bytes`, ever shorter ones, as long as `isBad` holds; at most `tries` looks. */
export async function shrinkBytes(
  bytes: Buffer,
  isBad: (bytes: Buffer) => Promise<boolean>,
  tries = 150,
): Promise<Buffer> {
  let smallest = bytes;
  let left = tries;
  for (let size = bytes.length >> 1; size > 0 && left > 0; size >>= 1) {
    for (let at = 0; at < smallest.length && left > 0; ) {
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      left -= 1;
      if (await isBad(shorter)) smallest = shorter;
      else at += size;
    }
  }
  return smallest;
}
