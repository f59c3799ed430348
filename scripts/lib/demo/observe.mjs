// @ts-check
/** What the demo asks while it waits: Heliograph for the latency of a route, a service for its own goroutines. */

/**
 * Requests and latency of checkout's orders in the last whole minute that Heliograph knows.
 * @param {string} pageUrl
 * @param {number} nowMs
 * @returns {Promise<{minuteMs: number, count: number, p50Ms: number, p95Ms: number} | undefined>} undefined where it knows
 *   none yet; `minuteMs`: when that minute began, Unix milliseconds
 */
export async function ordersLastMinute(pageUrl, nowMs) {
  const response = await fetch(`${pageUrl}/api/query/latency_by_route?from=now-3m&to=now&step=60`);
  if (!response.ok) return undefined;
  const { rows } = /** @type {{rows: Record<string, unknown>[]}} */ (await response.json());
  const minutes = rows
    .filter(({ service, route }) => service === 'checkout' && route === '/orders')
    .filter(({ time }) => Date.parse(String(time)) + 60_000 <= nowMs);
  const last = minutes.toSorted((a, b) => Date.parse(String(a['time'])) - Date.parse(String(b['time']))).at(-1);
  if (last === undefined) return undefined;
  const minuteMs = Date.parse(String(last['time']));
  return { minuteMs, count: Number(last['count']), p50Ms: Number(last['p50_ms']), p95Ms: Number(last['p95_ms']) };
}

/**
 * @param {string} adminUrl
 * @returns {Promise<number>} goroutines by the service's own /debug/vars
 */
export async function goroutinesOf(adminUrl) {
  const response = await fetch(`${adminUrl}/debug/vars`);
  const { goroutines } = /** @type {{goroutines: number}} */ (await response.json());
  return goroutines;
}

/**
 * Turns a switch of the shop on. Throws what the service says against it.
 * @param {string} adminUrl
 * @param {'slow' | 'leak'} name
 */
export async function switchOn(adminUrl, name) {
  const response = await fetch(`${adminUrl}/switch/${name}?on=true`, { method: 'POST' });
  if (!response.ok) throw new Error(`the switch ${name} did not turn: ${(await response.text()).trim()}`);
}
