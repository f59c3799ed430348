/** "Did you mean": the known name that a mistyped one most resembles. */

/** The candidate with the fewest edits, undefined where even that one shares too little to be meant. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(3, Math.ceil(name.length / 2));
  const wanted = name.toLowerCase();
  for (const candidate of candidates) {
    const known = candidate.toLowerCase();
    // A name that was only cut short (HTTP_PORT for OTLP_HTTP_PORT) is nearer than its missing letters say.
    const edits = editDistance(wanted, known) / (known.includes(wanted) ? 2 : 1);
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

/** Insertions, deletions and replacements between two texts. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
