/**
 * Decoding profiles: ours beside pprof-format (the decoder that comes with @datadog/pprof) and google/pprof in Go, on the same bytes in
 * the same run, unpacked beforehand. A busy Go program makes them. Rounds of the contenders take turns; the table shows the
 * best of each, in CPU time over all threads, so that neither a noisy neighbour nor a second core for the collector counts.
 * Retained is what a decoded profile holds on to, without the bytes themselves.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { decodeProfile } from '../collectors/pprof/decode.ts';
import { assetPath } from '../core/paths.ts';
import { printTable } from './support/table.ts';

const ROUNDS = 7;
const ROUND_MS = 200;
const GO_ROUND_SECONDS = '0.3';
const GO_ROUNDS = 3;

const dir = mkdtempSync(join(tmpdir(), 'heliograph-bench-pprof-'));
const peer = join(dir, 'peer');

function go(command: string, ...args: string[]): string {
  const run = spawnSync(command, args, { cwd: assetPath('test/peers/pprof'), encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${run.stderr}`);
  return run.stdout;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** CPU milliseconds per call. */
function measure(decode: () => unknown): number {
  const [startMs, startCpuMs] = [performance.now(), cpuMs()];
  let calls = 0;
  for (; performance.now() - startMs < ROUND_MS; calls += 1) decode();
  return (cpuMs() - startCpuMs) / calls;
}

function heapBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes that a result holds on to; of several, as the heap is not that exact. */
function retained(decode: () => unknown): number {
  const kept: unknown[] = [];
  const before = heapBytes();
  for (let i = 0; i < 8; i++) kept.push(decode());
  return Math.max(0, heapBytes() - before) / kept.length;
}

function measureGo(path: string): { ms: number; retainedBytes: number } {
  const rounds = Array.from(
    { length: GO_ROUNDS },
    () =>
      JSON.parse(go(peer, 'bench', GO_ROUND_SECONDS, path)) as { cpuSecondsPerParse: number; retainedBytes: number },
  );
  const ms = Math.min(...rounds.map(({ cpuSecondsPerParse }) => cpuSecondsPerParse * 1000));
  return { ms, retainedBytes: rounds[0]?.retainedBytes ?? Number.NaN };
}

function rowOf(path: string): (string | number)[] {
  const raw = gunzipSync(readFileSync(path));
  const ours = decodeProfile(raw);
  if (!ours.ok) throw new Error(`${path}: ${ours.rule}`);
  const contenders = [(): unknown => decodeProfile(raw), (): unknown => Profile.decode(raw)];
  const best = contenders.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, decode] of contenders.entries())
      best[index] = Math.min(best[index] ?? Number.POSITIVE_INFINITY, measure(decode));
  const peers = measureGo(path);
  const rate = (ms: number | undefined): number => raw.length / (ms ?? Number.NaN) / 1000;
  const kept = [...contenders.map(retained), peers.retainedBytes].map((bytes) => bytes / raw.length);
  return [
    basename(path, '.pb.gz'),
    raw.length / 1000,
    ours.stacks.length,
    ...[...best, peers.ms].map(rate),
    ...kept.map((times) => `${times.toFixed(1)} ×`),
  ];
}

try {
  go('go', 'build', '-trimpath', '-o', peer, '.');
  go(peer, 'make', dir);
  const files = readdirSync(dir).filter((name) => name.endsWith('.pb.gz'));
  printTable(
    [
      'profile',
      'kB',
      'stacks',
      'ours MB/s',
      'pprof-format MB/s',
      'google/pprof MB/s',
      'ours retained',
      'pprof-format',
      'google/pprof',
    ],
    files.map((name) => rowOf(join(dir, name))),
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
