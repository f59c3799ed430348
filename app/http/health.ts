/** Liveness and readiness. A checker has a name, a latency and, when it fails, a reason. */
import type { Clock } from '../../core/ports.ts';

export interface Checker {
  name: string;
  /** Resolves when healthy, with what there is to say of it, if anything; rejects with the reason. */
  check(): Promise<string | undefined>;
}

export interface CheckResult {
  name: string;
  ok: boolean;
  latencyMs: number;
  reason?: string;
  detail?: string;
}

export interface Readiness {
  ok: boolean;
  checks: CheckResult[];
}

const CHECK_TIMEOUT_MS = 2000;

/** Runs all checkers at once; one that hangs fails after two seconds. */
export async function checkReadiness(checkers: readonly Checker[], clock: Clock): Promise<Readiness> {
  const checks = await Promise.all(checkers.map((checker) => runChecker(checker, clock)));
  return { ok: checks.every((check) => check.ok), checks };
}

async function runChecker(checker: Checker, clock: Clock): Promise<CheckResult> {
  const startedMs = clock.monotonicMs();
  const latencyMs = (): number => Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
  try {
    const detail = await withTimeout(checker.check(), clock);
    return { name: checker.name, ok: true, latencyMs: latencyMs(), ...(detail !== undefined && { detail }) };
  } catch (error) {
    return { name: checker.name, ok: false, latencyMs: latencyMs(), reason: (error as Error).message };
  }
}

function withTimeout<T>(promise: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(CHECK_TIMEOUT_MS, () => reject(new Error(`no answer in ${CHECK_TIMEOUT_MS} ms`)));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
