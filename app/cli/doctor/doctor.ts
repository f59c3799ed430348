/** Finds the usual mistakes and says the mend for each, whether Heliograph is up or down. */
import type { Clock } from '../../../core/ports.ts';
import type { Environment } from '../../config/environment.ts';
import type { Config } from '../../config/schema.ts';
import { hostForClients } from '../instance.ts';
import { type Check, fail, ok } from './check.ts';
import { checkExporter } from './exporter.ts';
import { checkClock, checkDataDir, checkDisk, checkNode, freeBytes } from './machine.ts';
import { observe } from './observe.ts';
import { checkPorts, checkToken } from './ports.ts';
import { checkRunning } from './running.ts';

export interface DoctorInput {
  config: Config;
  /** What was refused in the configuration; the rest is looked at with defaults in place. */
  problems: readonly string[];
  env: Environment;
  clock: Clock;
  nodeVersion: string;
  /** Where the page of the instance answers, undefined where nobody can say. */
  pageUrl: string | undefined;
  /** Free bytes on the file system of a path. */
  freeBytes?: (path: string) => Promise<number>;
  procRoot?: string;
}

/** Runs every check, in the order in which a person would mend things. */
export async function runDoctor(input: DoctorInput): Promise<Check[]> {
  const { config, problems, env, clock, nodeVersion, pageUrl, procRoot = '/proc' } = input;
  const seen = await observe(pageUrl, config.token, () => clock.nowMs());
  const host = hostForClients(config.bind);
  const { otlpHttp, otlpGrpc } = seen.kind === 'up' ? seen.status.doors : {};
  const otlpUrls = {
    http: otlpHttp?.url ?? `http://${host}:${config.otlp.httpPort}`,
    grpc: otlpGrpc?.url ?? `http://${host}:${config.otlp.grpcPort}`,
  };
  return [
    checkNode(nodeVersion),
    ...checkConfiguration(problems),
    await checkDataDir(config.dataDir),
    checkDisk(await (input.freeBytes ?? freeBytes)(config.dataDir), config.journal.maxBacklogGiB),
    await checkClock(clock, config.dataDir, seen),
    ...(await checkPorts(config, pageUrl, seen, procRoot)),
    checkToken(config),
    ...checkRunning(seen, pageUrl, config.journal.maxBacklogGiB, clock.nowMs()),
    ...checkExporter(env, config, otlpUrls),
  ];
}

function checkConfiguration(problems: readonly string[]): Check[] {
  if (problems.length === 0) return [ok('configuration', 'every setting obeys its rule')];
  return problems.map((problem) =>
    fail('configuration', problem, 'correct or remove it; docs/CONFIG.md has every setting'),
  );
}
