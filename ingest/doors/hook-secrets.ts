/** The secrets of a webhook, from a file that may change while Heliograph runs: one a line, two while they are being rotated. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { HeliographError } from '../../core/errors.ts';
import type { Clock, Log } from '../../core/ports.ts';

export interface HookSecrets {
  /** Whether the HMAC-SHA256 of `bytes` under one of the secrets is `signature` (32 bytes). Throws `bad_config` while no secret could be read. */
  verify(bytes: Uint8Array, signature: Buffer): Promise<boolean>;
  /** Reads the file where it changed since; keeps what it had where that fails. Whether there are other secrets now. */
  refresh(): Promise<boolean>;
}

const CHECK_INTERVAL_MS = 1000;
/** Each costs a pass over the body; who needs more than a rotation's two has named the wrong file. */
const SECRETS_MAX = 4;

/** Secrets of the file at `path`; nothing is read yet. Neither they nor their length are ever logged. */
export function createHookSecrets(path: string, clock: Clock, log: Log): HookSecrets {
  let secrets: readonly string[] = [];
  let fingerprint = '';
  let checkedAtMs = -Infinity;
  let complaint = '';
  let reading: Promise<boolean> | undefined;

  const complain = (reason: string): false => {
    if (reason !== complaint) log.warn({ path, reason, keptOld: secrets.length > 0 }, 'webhook secret not read');
    complaint = reason;
    return false;
  };
  const read = async (): Promise<boolean> => {
    checkedAtMs = clock.monotonicMs();
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const found = `${mtimeMs} ${size} ${ino}`;
      if (found === fingerprint) return false;
      const lines = (await readFile(path, 'utf8')).split(/\r?\n/).filter((line) => line !== '');
      // An empty key signs like any other: everybody knows it. A file between truncation and writing is read again.
      if (lines.length === 0) return complain('the file is empty');
      if (lines.length > SECRETS_MAX) return complain(`the file has more than ${SECRETS_MAX} lines`);
      secrets = lines;
      fingerprint = found;
      complaint = '';
      log.info({ path, secrets: lines.length }, 'webhook secret read');
      return true;
    } catch (error) {
      return complain((error as NodeJS.ErrnoException).code ?? 'unreadable');
    }
  };
  const refresh = (): Promise<boolean> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  return {
    refresh,
    async verify(bytes, signature) {
      if (clock.monotonicMs() - checkedAtMs >= CHECK_INTERVAL_MS) await refresh();
      if (secrets.length === 0)
        throw new HeliographError('bad_config', `hooks.github.secretFile cannot be used: ${complaint}`);
      // Every secret is tried, and each comparison takes the same time whatever differs.
      return secrets.map((secret) => timingSafeEqual(hmac(secret, bytes), signature)).includes(true);
    },
  };
}

function hmac(secret: string, bytes: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(bytes).digest();
}
