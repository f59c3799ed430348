/** Names that stay the same over retries, restarts and machines. */
import { createHash } from 'node:crypto';
import type { Labels, RuleName } from './types.ts';

/** 16 lower hex digits over rule and labels, whatever the order of the labels. */
export function fingerprintOf(rule: RuleName, labels: Labels): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return digest([rule, pairs]).slice(0, 16);
}

/** 32 lower hex digits: the same for every attempt to tell one receiver of one transition. */
export function idempotencyKeyOf(receiver: string, fingerprint: string, startsAtMs: number, status: string): string {
  return digest([receiver, fingerprint, startsAtMs, status]).slice(0, 32);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
