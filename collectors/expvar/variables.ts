/** The numbers a program publishes of its own, nested maps flattened to names joined by dots. */

const MAX_NAMES = 500;
const MAX_NAME_CHARACTERS = 64 * 1024;
const MAX_DEPTH = 16;

/** Takes numbers in the order they stand in, as many as fit; the rest is counted. Strings, lists and null are no numbers. */
export function flatten(own: Readonly<Record<string, unknown>>): { vars: Record<string, number>; leftOut: number } {
  const found: [string, number][] = [];
  let leftOut = 0;
  let characters = 0;
  const add = (name: string, value: number): void => {
    if (found.length >= MAX_NAMES || characters + name.length > MAX_NAME_CHARACTERS) leftOut += 1;
    else {
      found.push([name, value]);
      characters += name.length;
    }
  };
  const visit = (entries: Readonly<Record<string, unknown>>, prefix: string, depth: number): void => {
    for (const [key, value] of Object.entries(entries)) {
      const number = typeof value === 'bigint' ? Number(value) : value;
      if (typeof number === 'number' && Number.isFinite(number)) add(prefix + key, number);
      else if (typeof value === 'object' && value !== null && !Array.isArray(value) && depth < MAX_DEPTH)
        visit(value as Record<string, unknown>, `${prefix}${key}.`, depth + 1);
    }
  };
  visit(own, '', 1);
  return { vars: Object.fromEntries(found), leftOut };
}
