/**
 * Freshness as a user would meet it: single spans of their own, ten a second among the load, each timed from its ack until a
 * reader finds it in the rollup. Reads go through the read-only face, also ten a second, so a figure is at most 0.1 s too high.
 */
import { randomBytes } from 'node:crypto';
import { encodeRequest } from '../../test/support/otlp-encode.ts';

export interface FreshnessProbe {
  /** Stops sending, waits until all are seen (at most `limitMs`) and gives the milliseconds of each, sorted. */
  stop(limitMs: number): Promise<{ sortedMs: number[]; unseen: number }>;
}

const EVERY_MS = 100;
const SERVICE = 'freshness-probe';

export function startFreshness(otlpUrl: string, pageUrl: string): FreshnessProbe {
  const fromS = Math.floor(Date.now() / 1000) - 60;
  const ackedMs = new Map<string, number>();
  const seenMs: number[] = [];
  const seen = new Set<string>();
  let sending = true;
  let reading = true;
  const send = async (): Promise<void> => {
    for (let next = 0; sending; next++) {
      const route = `/probe/${next}`;
      const answered = fetch(`${otlpUrl}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: probeBody(route),
      }).then((response) => {
        if (response.status === 200) ackedMs.set(route, performance.now());
      });
      await Promise.all([sleep(EVERY_MS), answered.catch(() => {})]);
    }
  };
  const read = async (): Promise<void> => {
    while (reading) {
      const [routes] = await Promise.all([seenRoutes(pageUrl, fromS).catch(() => []), sleep(EVERY_MS)]);
      for (const route of routes) {
        const acked = ackedMs.get(route);
        if (acked === undefined || seen.has(route)) continue;
        seen.add(route);
        seenMs.push(performance.now() - acked);
      }
    }
  };
  const sender = send();
  const reader = read();
  return {
    stop: async (limitMs) => {
      sending = false;
      await sender;
      const untilMs = performance.now() + limitMs;
      while (seenMs.length < ackedMs.size && performance.now() < untilMs) await sleep(EVERY_MS);
      reading = false;
      await reader;
      return { sortedMs: seenMs.toSorted((a, b) => a - b), unseen: ackedMs.size - seenMs.length };
    },
  };
}

/** Value at a quantile by nearest rank; NaN of nothing. */
export function nearestRank(sorted: readonly number[], q: number): number {
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
}

async function seenRoutes(pageUrl: string, fromS: number): Promise<string[]> {
  const sql = `SELECT route FROM boards.routes(from = toDateTime(${fromS}), to = now() + 60) WHERE service = '${SERVICE}' FORMAT JSONCompact`;
  const response = await fetch(`${pageUrl}/clickhouse/`, { method: 'POST', body: sql });
  if (!response.ok) throw new Error(await response.text());
  const { data } = (await response.json()) as { data: [string][] };
  return data.map(([route]) => route);
}

function probeBody(route: string): Buffer {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const span = {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'GET',
    kind: 2,
    startTimeUnixNano: nowNs - 1_000_000n,
    endTimeUnixNano: nowNs,
    attributes: [{ key: 'http.route', value: { stringValue: route } }],
  };
  const attributes = [{ key: 'service.name', value: { stringValue: SERVICE } }];
  return encodeRequest({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
