/** The OpenTelemetry Collector of bench/collector, built by Go at bench time, and what can be read back from its file. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assetPath } from '../../core/paths.ts';
import { eventually } from '../../test/support/heliograph-process.ts';
import { patchPoints } from './patch-points.ts';

/** `nop` throws every span away; `file` has a persistent sending queue before a file, with or without fsync of the queue. */
export type CollectorKind = 'nop' | 'file' | 'file+fsync';

export interface RunningCollector {
  pid: number;
  httpUrl: string;
  grpcUrl: string;
  /** Resolves when it is gone. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Resolves when the file has not grown for two seconds: the queue is empty. At once without a file. */
  drained(): Promise<void>;
}

/** Builds the program; Go's own cache makes that a second after the first time. Undefined where there is no Go. */
export function buildCollector(): string | undefined {
  if (spawnSync('go', ['version']).status !== 0) return undefined;
  const folder = join(tmpdir(), 'heliograph-bench-collector');
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'collector');
  const { status } = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: assetPath('bench/collector'),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('bench/collector does not build');
  return program;
}

/** Starts one over `dir`, empty or as an earlier one left it, and waits until its door answers. */
export async function startCollector(program: string, kind: CollectorKind, dir: string): Promise<RunningCollector> {
  const [httpPort, grpcPort] = [await freePort(), await freePort()];
  const configPath = join(dir, 'config.yaml');
  writeFileSync(configPath, renderConfig(kind, dir, httpPort, grpcPort));
  const child = spawn(program, [configPath], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => (said = (said + String(chunk)).slice(-2000)));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  await eventually(() => answers(child, httpUrl)).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`the Collector did not start: ${said}`, { cause: error });
  });
  return {
    pid: child.pid ?? -1,
    httpUrl,
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    kill: (signal) => {
      child.kill(signal);
      return exited;
    },
    drained: () => untilStill(spansPath(dir)),
  };
}

async function answers(child: ChildProcess, httpUrl: string): Promise<true | undefined> {
  if (child.exitCode !== null) return undefined;
  const headers = { 'content-type': 'application/x-protobuf' };
  const response = await fetch(`${httpUrl}/v1/traces`, { method: 'POST', headers, body: '' });
  return response.ok ? true : undefined;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

function spansPath(dir: string): string {
  return join(dir, 'spans.bin');
}

/**
 * Batches are made behind the queue, as the Collector's documentation advises; a full queue makes senders wait instead of
 * refusing them, so that what was acked is what was queued.
 */
function renderConfig(kind: CollectorKind, dir: string, httpPort: number, grpcPort: number): string {
  const exporter = kind === 'nop' ? 'nop' : 'queued_file';
  const file = `
exporters:
  queued_file:
    file: { path: ${JSON.stringify(spansPath(dir))}, format: proto, append: true }
    sending_queue:
      storage: file_storage
      block_on_overflow: true
      batch: { sizer: items, min_size: 8192, flush_timeout: 200ms }
extensions:
  file_storage: { directory: ${JSON.stringify(join(dir, 'queue'))}, create_directory: true, fsync: ${kind === 'file+fsync'} }`;
  return `receivers:
  otlp:
    protocols:
      http: { endpoint: '127.0.0.1:${httpPort}' }
      grpc: { endpoint: '127.0.0.1:${grpcPort}' }
${kind === 'nop' ? 'exporters: { nop: {} }' : file}
service:
  extensions: [${kind === 'nop' ? '' : 'file_storage'}]
  pipelines:
    traces: { receivers: [otlp], exporters: [${exporter}] }
  telemetry:
    logs: { level: warn }
    metrics: { level: none }
`;
}

/** A file that has not grown for so long is done. */
export const STILL_MS = 2000;

async function untilStill(path: string): Promise<void> {
  if (!existsSync(path)) return;
  for (let size = -1, stillMs = 0; stillMs < STILL_MS; ) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = statSync(path).size;
    stillMs = now === size ? stillMs + 250 : 0;
    size = now;
  }
}

const SET_ASIDE = 'spans-before-kill.bin';

/** Moves the file of a killed Collector aside, so that what the next one writes does not follow a torn record. */
export function setAside(dir: string): void {
  renameSync(spansPath(dir), join(dir, SET_ASIDE));
}

/** Span ids of the whole records in the files: how many there are, and which. A record torn by a kill ends the reading of its file. */
export function readSpanIds(dir: string): { total: number; ids: Set<string> } {
  const ids = new Set<string>();
  let total = 0;
  for (const path of [join(dir, SET_ASIDE), spansPath(dir)]) {
    for (const record of existsSync(path) ? readRecords(path) : []) {
      for (const offset of patchPoints(record).spanIds) {
        ids.add(record.toString('hex', offset, offset + 8));
        total++;
      }
    }
  }
  return { total, ids };
}

/** Records as the file exporter writes them: four bytes of length, then the message. */
function* readRecords(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const head = Buffer.alloc(4);
    for (let at = 0; at + 4 <= size; ) {
      readSync(fd, head, 0, 4, at);
      const length = head.readUInt32BE(0);
      if (at + 4 + length > size) return;
      const record = Buffer.alloc(length);
      readSync(fd, record, 0, length, at + 4);
      yield record;
      at += 4 + length;
    }
  } finally {
    closeSync(fd);
  }
}
