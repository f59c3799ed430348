/** The budget of distinct routes, where the rollup's view reads it. */
import type { Store } from '../core/ports.ts';

/** Sets how many distinct routes a service of a team may have a day. Writes only what has changed. */
export async function setRouteLimit(store: Store, routes: number): Promise<void> {
  const { rows } = await store.query({
    sql: 'SELECT routes FROM heliograph.route_limit ORDER BY set_at DESC LIMIT 1',
  });
  if (Number(rows[0]?.[0]) === routes) return;
  await store.insertRows('heliograph.route_limit', [{ routes }]);
}
