import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fastify from 'fastify';
import { registerClickhouse } from '../../../app/http/clickhouse.ts';
import { systemClock } from '../../../core/clock.ts';
import { createAuth } from '../../../ingest/auth/token.ts';
import { createFace, type Face } from '../../../store/face/face.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { quietLog } from '../../support/quiet-log.ts';

export const TOKEN = 'face-token';
/** Stands in a file and in tables that no reader may see. */
export const CANARY = 'CANARY-5f2b9a71';

export interface Asked {
  status: number;
  /** ClickHouse's number of the exception; 0 where there is none. */
  code: number;
  text: string;
}

/** The face on a port of its own, over a real engine that holds what must never come out. */
export interface FaceServer {
  engine: TestEngine;
  face: Face;
  url: string;
  port: number;
  /** A statement with its `{secret}` and `{out}` put in. */
  fill(sql: string): string;
  /** Sends a statement, filled, with the token. */
  ask(sql: string, parameters?: Record<string, string>): Promise<Asked>;
  /** What may not change whatever is asked: rows of the hidden tables, tables there are, files written. */
  traces(): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startFaceServer(): Promise<FaceServer> {
  const engine = await startMigratedEngine();
  const secret = join(engine.dir, 'secret.txt');
  const outDir = engine.dir;
  const out = join(outDir, 'canary-output');
  writeFileSync(secret, `${CANARY}\n`);
  for (const database of ['heliograph', 'people']) {
    await engine.store.command({
      sql: `CREATE TABLE ${database}.canary (id UInt64, value String) ENGINE = MergeTree ORDER BY id`,
    });
    await engine.store.command({ sql: `INSERT INTO ${database}.canary VALUES (1, '${CANARY}')` });
  }
  const address =
    engine.engine === undefined
      ? { url: process.env['HELIOGRAPH_CLICKHOUSE_URL'] ?? '' }
      : { socketPath: engine.engine.socketPath };
  const role = engine.engine === undefined ? 'heliograph_face' : 'face';
  const face = createFace({ address, role, clock: systemClock, log: quietLog });
  const app = fastify({ forceCloseConnections: true });
  registerClickhouse(app, { face, auth: createAuth(TOKEN), viewsReady: () => true, log: quietLog });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/clickhouse/`;
  const fill = (sql: string): string => sql.replaceAll('{secret}', secret).replaceAll('{out}', out);
  return {
    engine,
    face,
    url,
    port,
    fill,
    ask: async (sql, parameters = {}) => {
      const response = await fetch(`${url}?${new URLSearchParams(parameters).toString()}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}` },
        body: fill(sql),
      });
      const code = Number(response.headers.get('x-clickhouse-exception-code') ?? 0);
      return { status: response.status, code, text: await response.text() };
    },
    traces: async () => {
      const { rows } = await engine.store.query({
        sql: `SELECT database, count(), sum(cityHash64(name)) FROM system.tables GROUP BY database ORDER BY database`,
      });
      const canaries = await engine.store.query({
        sql: 'SELECT (SELECT groupArray(value) FROM heliograph.canary), (SELECT groupArray(value) FROM people.canary)',
      });
      const functions = await engine.store.query({
        sql: `SELECT count() FROM system.functions WHERE origin != 'System'`,
      });
      const files = readdirSync(outDir).filter((name) => !['engine', 'run', 'secret.txt'].includes(name));
      return { tables: rows, canaries: canaries.rows, functions: functions.rows, out: existsSync(out), files };
    },
    stop: async () => {
      await app.close();
      face.close();
      await engine.stop();
    },
  };
}
