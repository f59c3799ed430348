import { readConfig } from '../../../../app/config/load.ts';
import type { Config } from '../../../../app/config/schema.ts';
import type { Status } from '../../../../app/status.ts';
import type { Check } from '../../../../app/cli/doctor/check.ts';

/** A configuration from flags, as a person would give them; rules may be broken. */
export function configOf(flags: Record<string, string>): { config: Config; problems: string[] } {
  return readConfig({ flags, env: {}, cwd: '/nowhere', readFile: () => undefined });
}

/** `/api/status` of an instance that is well. */
export function healthyStatus(otlpUrl: string, nowMs: number): Status {
  return {
    version: '0.1.0',
    uptimeSeconds: 3_700,
    doors: {
      otlpHttp: {
        url: otlpUrl,
        received: { bodies: 10, spans: 500, bytes: 9_000, lastAtMs: nowMs - 2_000 },
        rejectedSpans: {},
        refused: [],
      },
      otlpGrpc: {
        url: `http://127.0.0.1:${Number(new URL(otlpUrl).port) - 1}`,
        received: { bodies: 1, spans: 50, bytes: 900 },
      },
      hooks: [],
    },
    journal: { segments: 1, bytes: 4_096, oldestMs: nowMs - 500 },
    engine: { kind: 'embedded', state: 'running', restarts: 0 },
    selfService: 'heliograph',
    foreignSpans: 480,
  };
}

/** The one check of that name. */
export function named(checks: readonly Check[], name: string): Check {
  const found = checks.filter((check) => check.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} checks are called ${name}`);
  return found[0];
}
