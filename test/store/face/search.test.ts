import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test as anyTest } from 'vitest';
import { PINNED_BLOCK_SETTINGS } from '../../../store/load.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';
import { typicalBody } from '../../support/otlp-typical.ts';
import { type FaceServer, startFaceServer } from './face-server.ts';

/** On a server others may read at the same time, and would be counted. */
const test = anyTest.runIf(process.env['HELIOGRAPH_CLICKHOUSE_URL'] === undefined);
const SPANS = 80_000;

let server: FaceServer;
beforeAll(async () => {
  server = await startFaceServer();
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const path = join(server.engine.dir, 'search.seg');
  const bodies = Array.from({ length: SPANS / 5000 }, (_, seed) => typicalBody({ seed, spans: 5000, nowNs }));
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name: 'POST /orders',
    kind: 2,
    startTimeUnixNano: nowNs,
    endTimeUnixNano: nowNs + 1n,
    attributes: [{ key: 'order.id', value: { stringValue: 'needle' } }],
  };
  writeFileSync(
    path,
    Buffer.concat([...bodies, encodeRequest({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })]),
  );
  const segment = { token: 'search', signal: 'otlp_traces', team: '', path, loNs: 0n, hiNs: 2n ** 63n - 1n };
  await server.engine.store.load({ ...segment, settings: { ...PINNED_BLOCK_SETTINGS } });
  await server.engine.store.command({ sql: 'OPTIMIZE TABLE otel.otel_traces FINAL' }); // merges build the index on attributes
});
afterAll(() => server.stop());

async function rowsRead(run: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    const { rows } = await server.engine.store.query({
      sql: `SELECT sum(value) FROM system.events WHERE event = 'SelectedRows'`,
    });
    return Number(rows[0]?.[0]);
  };
  const before = await count();
  await run();
  return (await count()) - before;
}

test('a search by the value of a key that few spans have reads few of them', async () => {
  const condition = `SpanAttributes['order.id'] = 'needle'`;
  let text = '';
  const rows = await rowsRead(async () => {
    const sql = `SELECT TraceId FROM otel_traces WHERE ${condition} ORDER BY Timestamp DESC LIMIT 20 FORMAT JSONCompact`;
    text = (await server.ask(sql)).text;
  });
  expect((JSON.parse(text) as { data: unknown }).data).toEqual([['0af7651916cd43dd8448eb211c80319c']]);
  expect(rows).toBeLessThan(SPANS / 3);
});
