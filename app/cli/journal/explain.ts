/** A quarantined body in words: why it is there, where its bytes break, what is in it, what to do. */
import { readFile } from 'node:fs/promises';
import { OTLP_COLLECTORS } from '../../../collectors/index.ts';
import { glanceTraces } from '../../../collectors/otlp/glance.ts';
import type { BodyWalk, TimeBounds } from '../../../core/ports.ts';
import type { QuarantineEntry } from '../../../ingest/journal/quarantine.ts';
import { cellText, textTable } from '../table.ts';

const SPANS_SHOWN = 5;
const ROWS_SHOWN = 3;

/** Several lines. Values of attributes and rows are never shown: they may hold secrets or names. Throws what the file system throws. */
export async function explain(entry: QuarantineEntry, isReplayed: boolean, bounds: TimeBounds): Promise<string> {
  const bytes = entry.bytes === null ? undefined : await readFile(entry.path);
  const facts: [string, string][] = [
    ['id', entry.name],
    ['when', new Date(entry.atMs).toISOString()],
    ['kind', entry.kind ?? 'unknown'],
    ['reason', entry.reason],
    ['signal', entry.signal ?? 'unknown'],
    ['team', entry.team ?? 'unknown'],
    ['from', entry.segment ? `segment ${entry.segment}, byte ${entry.offset}` : 'a door'],
    ['items', cellText(entry.items)],
    ['bytes', bytes === undefined ? 'not there' : String(bytes.length)],
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(8)}${value.replace(/[\p{Cc}]/gu, ' ')}`);
  if (bytes !== undefined) lines.push('', ...contents(entry, bytes, bounds));
  lines.push('', `What to do: ${advice(entry, isReplayed)}`);
  return `${lines.join('\n')}\n`;
}

function contents(entry: QuarantineEntry, bytes: Buffer, bounds: TimeBounds): string[] {
  const collector = OTLP_COLLECTORS.find(({ signal }) => signal === entry.signal);
  if (collector !== undefined) {
    return [verdict(collector.walk(bytes, bounds), collector.rejectMessage), '', ...spanLines(bytes)];
  }
  if (bytes[0] === 0x7b) return rowLines(bytes);
  return ['Nothing here reads these bytes.'];
}

/** What the door would say of the bytes if they came now. */
function verdict(walk: BodyWalk, say: (rejected: Readonly<Record<string, number>>) => string): string {
  if (!walk.ok) return `The door refuses it: at byte ${walk.offset}, ${walk.rule}.`;
  const rewrite = walk.needsRewrite ? ' It has nested values, which the slow lane takes out.' : '';
  const rejects = walk.rejectedTotal === 0 ? '' : ` ${say(walk.rejected)}`;
  return `The door reads it: ${walk.spans} spans, ${walk.rejectedTotal} of them rejected.${rejects}${rewrite}`;
}

function spanLines(bytes: Buffer): string[] {
  const spans = glanceTraces(bytes, SPANS_SHOWN);
  if (spans.length === 0) return ['No span can be read from it.'];
  const rows = spans.map(({ service, name, traceId, spanId, startNs, attributeKeys }) =>
    [service, name, traceId, spanId, timeText(startNs), attributeKeys.join(' ')].map(cellText),
  );
  const header = ['service', 'span', 'trace', 'id', 'start', 'attributes (keys)'];
  return [`Its first spans:`, ...textTable(header, rows).trimEnd().split('\n')];
}

function timeText(ns: string): string {
  const ms = ns === '' ? Number.NaN : Number(BigInt(ns) / 1_000_000n);
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ns || 'absent'}`;
}

function rowLines(bytes: Buffer): string[] {
  const lines = bytes.toString('utf8').trimEnd().split('\n');
  const shown = lines.slice(0, ROWS_SHOWN).map((line, i) => `  ${i + 1}: ${keysOf(line)}`);
  return [`${lines.length} rows; their keys:`, ...shown];
}

function keysOf(line: string): string {
  try {
    return Object.keys(JSON.parse(line) as object).join(' ');
  } catch (error) {
    return `not JSON: ${(error as Error).message.slice(0, 80)}`;
  }
}

function advice({ name, kind, bytes }: QuarantineEntry, isReplayed: boolean): string {
  if (isReplayed) return `nothing, it was replayed and is stored; heliograph journal drop ${name} frees its place.`;
  if (bytes === null) return `the bytes are lost; heliograph journal drop ${name}.`;
  if (kind === 'sample') {
    return `mend the sender by the reason above; what was accepted is stored. Then heliograph journal drop ${name}.`;
  }
  if (kind === 'unloaded') {
    return `after an update that reads such bytes, heliograph journal replay ${name}; if they are of no use, heliograph journal drop ${name}.`;
  }
  return `the disk changed these bytes: look at it (dmesg, smartctl). They cannot be replayed; heliograph journal drop ${name}.`;
}
