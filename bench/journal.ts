/**
 * The journal beside plain `write` + `fdatasync` per body into one file: bodies of 1, 64 and 512 spans, 1, 16 and 64 in
 * flight. `npx tsx bench/journal.ts [directory]`; about 15 s. What it writes goes to the directory (default: the
 * machine's temporary one, which should be on the disk that is meant) and is deleted.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import type { Log } from '../core/ports.ts';
import { machineFiles } from '../ingest/journal/files.ts';
import { createJournal } from '../ingest/journal/journal.ts';

const BODIES = [
  { spans: 1, bytes: 300 },
  { spans: 64, bytes: 18_000 },
  { spans: 512, bytes: 130_000 },
];
const IN_FLIGHT = [1, 16, 64];
const RUN_MS = 700;

const silent: Log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => silent };

interface Result {
  appends: number;
  syncs: number;
  seconds: number;
  cpuSeconds: number;
}

let bodyNumber = 0;

/** Keeps `inFlight` appends going until the time is up. */
async function drive(
  body: Uint8Array,
  inFlight: number,
  append: (bytes: Uint8Array) => Promise<unknown>,
): Promise<Omit<Result, 'syncs'>> {
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  let appends = 0;
  const worker = async () => {
    const bytes = Buffer.from(body);
    while (performance.now() - start < RUN_MS) {
      bytes.writeUInt32LE(bodyNumber++, 0); // the same bytes again would be told to be a repeat
      await append(bytes);
      appends++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const { user, system } = process.cpuUsage(cpuBefore);
  return { appends, seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

async function journalRun(dir: string, body: Uint8Array, spans: number, inFlight: number): Promise<Result> {
  const options = { minFreeBytes: 0, retentionMs: () => 86_400_000, loadSettings: {} };
  const journal = await createJournal({ dir, clock: systemClock, log: silent, options });
  const done: Promise<void>[] = [];
  journal.onSealed(({ name }) => done.push(journal.remove(name))); // the loader's part, so that deleting is paid for too
  const lane = journal.lane('traces', 'protobuf', '');
  const result = await drive(body, inFlight, (bytes) => {
    lane.bounds();
    return lane.append({ bytes, items: spans });
  });
  const { syncs, bodies } = journal.stats();
  if (bodies !== result.appends) throw new Error(`${result.appends} appends, ${bodies} bodies stored`);
  await journal.close(10_000);
  await Promise.all(done);
  return { ...result, syncs };
}

async function plainRun(dir: string, body: Uint8Array, inFlight: number): Promise<Result> {
  const path = join(dir, 'plain');
  const fd = openSync(path, 'w');
  let end = 0;
  const result = await drive(body, inFlight, async (bytes) => {
    const at = end;
    end += bytes.byteLength;
    await machineFiles.writev(fd, [bytes], at);
    await machineFiles.fdatasync(fd);
  });
  closeSync(fd);
  rmSync(path);
  return { ...result, syncs: result.appends };
}

function cells({ appends, syncs, seconds, cpuSeconds }: Result, bytes: number): string[] {
  const rate = appends / seconds;
  return [
    rate.toFixed(0),
    ((rate * bytes) / 1e6).toFixed(1),
    (syncs / seconds).toFixed(0),
    ((cpuSeconds / appends) * 1e6).toFixed(0),
  ];
}

const dir = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'bench-journal-'));
const side = ['bodies/s', 'MB/s', 'syncs/s', 'CPU us/body'];
const rows = [['spans', 'bytes', 'in flight', ...side, ...side.map((title) => `plain ${title}`), 'ratio']];
try {
  await journalRun(dir, randomBytes(300), 1, 16); // warm-up
  for (const { spans, bytes } of BODIES) {
    const body = randomBytes(bytes);
    for (const inFlight of IN_FLIGHT) {
      const journal = await journalRun(dir, body, spans, inFlight);
      const plain = await plainRun(dir, body, inFlight);
      const ratio = journal.appends / journal.seconds / (plain.appends / plain.seconds);
      const settings = [spans, bytes, inFlight].map(String);
      rows.push([...settings, ...cells(journal, bytes), ...cells(plain, bytes), ratio.toFixed(2)]);
    }
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
for (const row of rows) console.log(row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '));
