/** The keys that tokens are signed with, from a file or an address, renewed while Heliograph runs. */
import type { JSONWebKeySet } from 'jose';
import type { Clock, Log } from '../../core/ports.ts';
import { type Fetch, reasonOf } from './fetch.ts';
import { watchFiles } from './watched.ts';

export interface KeySetSource {
  /** The keys that hold now. `unknownKey` asks for newer ones: a token named a key that is not among them. */
  keys(unknownKey?: boolean): Promise<JSONWebKeySet | undefined>;
}

const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 5000;
/** Between two questions, whoever asks for newer keys. */
const COOLDOWN_MS = 30_000;
/** Keys that were taken back are used no longer than this. */
const MAX_AGE_MS = 300_000;
/** An endpoint that fails leaves the old keys in use for this long. */
const MAX_STALE_MS = 86_400_000;

/** Keys of the file at `path`, read again when it changes. */
export function keysFromFile(path: string, clock: Clock, log: Log): KeySetSource {
  const file = watchFiles({
    what: 'JWKS',
    paths: [path],
    read: ([text]) => parseKeySet(text ?? Buffer.alloc(0)),
    clock,
    log,
  });
  return { keys: () => file.fresh() };
}

/** Keys of an endpoint. */
export function keysFromUrl(url: string, fetch: Fetch, clock: Clock, log: Log): KeySetSource {
  let current: JSONWebKeySet | undefined;
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    askedAtMs = clock.monotonicMs();
    try {
      const next = parseKeySet(await fetch({ url, maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS }));
      fetchedAtMs = clock.monotonicMs();
      if (JSON.stringify(next) === JSON.stringify(current)) return;
      current = next;
      log.info({ keys: next.keys.length }, 'JWKS fetched');
    } catch (error) {
      log.error({ reason: reasonOf(error), keptOld: current !== undefined }, 'JWKS not fetched');
    } finally {
      asking = undefined;
    }
  };
  return {
    async keys(unknownKey = false) {
      const nowMs = clock.monotonicMs();
      const isDue = unknownKey || nowMs - fetchedAtMs >= MAX_AGE_MS;
      if (isDue && asking === undefined && nowMs - askedAtMs >= COOLDOWN_MS) asking = ask();
      if (isDue) await asking;
      if (clock.monotonicMs() - fetchedAtMs > MAX_STALE_MS) current = undefined;
      return current;
    },
  };
}

/** Throws where it is no set of public keys; a private or a symmetric key in it is refused too: it must not be served. */
function parseKeySet(text: Buffer): JSONWebKeySet {
  let parsed: { keys?: unknown } | null;
  try {
    parsed = JSON.parse(text.toString('utf8')) as { keys?: unknown } | null;
  } catch {
    throw new Error('it is not JSON'); // the parser's own message shows a piece of the text
  }
  const keys = parsed?.keys;
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('it holds no keys');
  for (const key of keys as Record<string, unknown>[]) {
    if (typeof key !== 'object' || key === null || !['RSA', 'EC', 'OKP'].includes(String(key['kty'])) || 'd' in key)
      throw new Error('it holds something other than public RSA, EC and OKP keys');
  }
  return { keys } as JSONWebKeySet;
}
