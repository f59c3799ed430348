/** `heliograph serve`: starts, says where things are, and stops in order on SIGTERM or SIGINT. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { bannerText } from './cli/banner.ts';
import type { Config } from './config/schema.ts';
import { startHeliograph } from './heliograph.ts';
import { createLog } from './log.ts';

/** Written to `<dataDir>/instance.json` while an instance runs, so that tools find the ports that were really taken. */
export interface Instance {
  pid: number;
  pageUrl: string;
  otlpUrl: string;
  otlpGrpcUrl: string;
}

const EXIT_GRACE_MS = 500;

/** Runs until a signal. Resolves with the exit code; throws what keeps it from starting (`bad_config`, `port_taken`, …). */
export async function runServe(config: Config): Promise<number> {
  const log = createLog(config.log.level);
  const startedMs = performance.now();
  const heliograph = await startHeliograph(config, systemClock, log);
  const { pageUrl, otlpUrl, otlpGrpcUrl } = heliograph;
  const instancePath = join(config.dataDir, 'instance.json');
  await writeWhole(
    instancePath,
    JSON.stringify({ pid: process.pid, pageUrl, otlpUrl, otlpGrpcUrl } satisfies Instance),
  );
  const signalled = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const failed = heliograph.ready.then(
    () => {
      log.info(
        { pageUrl, otlpUrl, otlpGrpcUrl, startMs: Math.round(performance.now() - startedMs) },
        'heliograph is ready',
      );
      process.stdout.write(
        bannerText({
          pageUrl,
          otlpUrl,
          otlpGrpcUrl,
          hasToken: config.token !== undefined,
          dataDir: config.dataDir,
          engine: config.clickhouseUrl === undefined ? 'embedded' : 'server',
        }),
      );
      return new Promise<never>(() => {});
    },
    (error: unknown) => error as Error,
  );
  const reason = await Promise.race([signalled, failed]);
  if (typeof reason === 'string') log.info({ signal: reason, deadlineMs: config.drainDeadline }, 'stopping');
  const { unfinished, tookMs } = await heliograph.stop(config.drainDeadline);
  await rm(instancePath, { force: true });
  log.info({ unfinished, tookMs: Math.round(tookMs) }, 'stopped');
  // Whatever still holds the event loop open has had its deadline.
  setTimeout(() => process.exit(), EXIT_GRACE_MS).unref();
  if (typeof reason !== 'string') throw reason;
  return 0;
}

/** Readers see the old file or the new one, never half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
