/** The road of low-volume sources: rows become NDJSON bodies, each durable before it is acked. */
import type { Journal } from '../core/ports.ts';
import type { Rows, RowSignal, RowSink } from '../core/rows.ts';

/** One NDJSON body: whole lines, and how many. */
export interface RowBody {
  bytes: Uint8Array<ArrayBuffer>;
  items: number;
}

/** A body holds about this much, well under a segment: what cannot be parsed is set aside by the body. */
const BODY_BYTES = 1024 * 1024;
const TEAM = ''; // until API keys name one

/** Encodes rows to bodies of about a mebibyte, in order. No rows, no bodies. */
export function encodeRows(rows: readonly object[]): RowBody[] {
  const bodies: RowBody[] = [];
  let lines: string[] = [];
  let length = 0;
  const cut = (): void => {
    if (lines.length === 0) return;
    bodies.push({ bytes: new TextEncoder().encode(lines.join('')), items: lines.length });
    lines = [];
    length = 0;
  };
  for (const row of rows) {
    const line = `${JSON.stringify(row)}\n`;
    lines.push(line);
    length += line.length;
    if (length >= BODY_BYTES) cut();
  }
  cut();
  return bodies;
}

/** Appends encoded bodies to the signal's lane, all of one call in one commit where they fit. */
export async function appendBodies(journal: Journal, signal: RowSignal, bodies: readonly RowBody[]): Promise<void> {
  const lane = journal.lane(signal, 'ndjson', TEAM);
  await Promise.all(bodies.map((body) => lane.append(body)));
}

/** A sink on the thread that holds the journal. */
export function createRowSink(journal: Journal): RowSink {
  return {
    append: <S extends RowSignal>(signal: S, rows: readonly Rows[S][]) =>
      appendBodies(journal, signal, encodeRows(rows)),
  };
}
