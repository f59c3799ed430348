import { once } from 'node:events';
import { createReadStream, writeFileSync } from 'node:fs';
import { Agent, type AgentOptions, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreError } from '../../core/errors.ts';
import type { Store } from '../../core/ports.ts';

/** What the suite runs against: the store under test and the address it talks to. */
export interface SuiteTarget {
  store: Store;
  socketPath?: string;
  url?: string;
  /** Scratch directory. */
  dir: string;
  stop(): Promise<void>;
}

const STREAM_ROWS = 2_000_000;

/** Everything Heliograph asks of ClickHouse over HTTP, whichever engine answers. */
export function storeSuite(name: string, open: () => Promise<SuiteTarget>): void {
  describe(name, () => {
    let target: SuiteTarget;
    let client: ClickHouseClient;

    beforeAll(async () => {
      target = await open();
      client = createClient(
        target.socketPath === undefined
          ? { url: target.url ?? '', log: { level: ClickHouseLogLevel.OFF } }
          : {
              url: 'http://engine',
              log: { level: ClickHouseLogLevel.OFF },
              http_agent: new Agent({ keepAlive: true, socketPath: target.socketPath } as AgentOptions),
            },
      );
      await target.store.command({ sql: 'CREATE DATABASE IF NOT EXISTS suite' });
    });
    afterAll(async () => {
      await target.store.command({ sql: 'DROP DATABASE IF EXISTS suite' });
      await client.close();
      await target.stop();
    });

    const one = async (sql: string, params?: Record<string, unknown>): Promise<unknown> =>
      (await target.store.query(params === undefined ? { sql } : { sql, params })).rows[0]?.[0];

    const failure = async (sql: string): Promise<StoreError> => {
      const error: unknown = await target.store.query({ sql }).catch((reason: unknown) => reason);
      if (!(error instanceof StoreError)) throw new Error(`expected a StoreError for ${sql}`);
      return error;
    };

    it('answers a ping', async () => {
      await target.store.ping();
    });

    it('round-trips types', async () => {
      await target.store.command({
        sql: `CREATE OR REPLACE TABLE suite.types (i Int64, u UInt8, f Float64, s String, n Nullable(String), d DateTime64(9, 'UTC'),
              a Array(String), m Map(String, UInt16), l LowCardinality(String), t Tuple(x Int32, y String)) ENGINE = MergeTree ORDER BY i`,
      });
      const row = {
        i: -42,
        u: 255,
        f: 1.5e21,
        s: 'ütf-8 ☀ \u0001',
        n: null,
        d: '2026-01-02 03:04:05.123456789',
        a: ["it's", '', '\\'],
        m: { k: 65535 },
        l: 'low',
        t: { x: 1, y: 'z' },
      };
      await target.store.insertRows('suite.types', [row]);
      const { columns, rows } = await target.store.query({ sql: 'SELECT * FROM suite.types' });
      expect(columns.map((column) => column.name)).toEqual(Object.keys(row));
      expect(columns[5]?.type).toBe("DateTime64(9, 'UTC')");
      expect(rows).toEqual([[-42, 255, 1.5e21, row.s, null, row.d, row.a, row.m, 'low', { x: 1, y: 'z' }]]);
    });

    it('gives 64-bit integers unquoted and NaN as null', async () => {
      const { rows } = await target.store.query({ sql: 'SELECT toInt64(7), toUInt64(9), nan, inf' });
      expect(rows).toEqual([[7, 9, null, null]]);
    });

    it('binds any text as it is', async () => {
      const text = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(
          "'; DROP TABLE t --",
          '\\',
          '\\N',
          '\n',
          '\t',
          '\r\n',
          '{x:String}',
          '`',
          '"',
          '%00',
          'NULL',
          "\\'",
          '',
        ),
      );
      await fc.assert(
        fc.asyncProperty(text, async (value) => {
          // A lone surrogate has no UTF-8 form; the client sends U+FFFD for it.
          const sent = Buffer.from(value).toString();
          expect(await one('SELECT {v:String}', { v: sent })).toBe(sent);
        }),
        { numRuns: 60 },
      );
    });

    it('binds arrays, numbers, dates and NULL', async () => {
      expect(await one('SELECT {v:Array(String)}', { v: ["a'b", 'c\nd', '\\'] })).toEqual(["a'b", 'c\nd', '\\']);
      expect(await one('SELECT {v:UInt64} + 1', { v: '18446744073709551614' })).toBeGreaterThan(1.8e19);
      expect(await one('SELECT {v:Nullable(String)}', { v: null })).toBeNull();
      expect(await one('SELECT toUnixTimestamp({v:DateTime})', { v: new Date(1_700_000_000_000) })).toBe(1_700_000_000);
      expect(await one('SELECT {v:Map(String, UInt8)}', { v: { k: 1 } })).toEqual({ k: 1 });
    });

    it('lets neither parameters nor settings reach the next statement', async () => {
      await target.store.query({
        sql: 'SELECT {v:String}',
        params: { v: 'secret' },
        settings: { max_threads: 1, max_result_rows: 7 },
      });
      await Promise.all(
        Array.from({ length: 12 }, async () => {
          expect((await failure('SELECT {v:String}')).engineCode).toBe(456);
          expect(Number(await one("SELECT getSetting('max_result_rows')"))).toBe(0);
        }),
      );
    });

    it('keeps parameters of statements at the same time apart', async () => {
      const values = Array.from({ length: 60 }, (_, index) => `value ${index}`);
      const got = await Promise.all(values.map((v) => one('SELECT {v:String} FROM numbers(10000) LIMIT 1', { v })));
      expect(got).toEqual(values);
    });

    it('applies settings, and refuses unknown ones', async () => {
      const { rows } = await target.store.query({
        sql: "SELECT getSetting('max_block_size')",
        settings: { max_block_size: 1234 },
      });
      expect(rows).toEqual([[1234]]);
      const error = await target.store
        .query({ sql: 'SELECT 1', settings: { no_such_setting: 1 } })
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'query_failed', engineCode: 115 });
    });

    it('takes a setting of a hundred kilobytes', async () => {
      const schema = `syntax = "proto3"; message A { uint32 a = 1; } /*${'x'.repeat(100_000)}*/`;
      const settings = { format_schema_source: 'string', format_schema: schema, format_schema_message_name: 'A' };
      const { rows } = await target.store.query({
        sql: `SELECT a FROM format(ProtobufSingle, 'a UInt32', {v:String})`,
        params: { v: '\u0008\u0005' },
        settings,
      });
      expect(rows).toEqual([[5]]);
    });

    it.each([
      'JSONEachRow',
      'JSON',
      'JSONCompactEachRow',
      'TabSeparated',
      'CSVWithNames',
      'Native',
      'RowBinary',
      'Parquet',
    ])('writes %s and reads it back', async (format) => {
      const sql = `SELECT toUInt32(number) AS a, concat('it''s\n', toString(number)) AS s, if(number % 2 = 0, NULL, number / 3) AS d FROM numbers(1000)`;
      await target.store.command({
        sql: 'CREATE OR REPLACE TABLE suite.formats (a UInt32, s String, d Nullable(Float64)) ENGINE = MergeTree ORDER BY a',
      });
      const answer = await send(target, { query: sql, headers: { 'X-ClickHouse-Format': format } });
      expect(answer.headers['x-clickhouse-format']).toBe(format);
      const inserted = await send(target, {
        params: { query: `INSERT INTO suite.formats (a, s, d) FORMAT ${format}` },
        query: answer.body,
      });
      expect(inserted.status).toBe(200);
      expect(await one('SELECT (count(), sum(cityHash64(*))) FROM suite.formats')).toEqual(
        await one(`SELECT (count(), sum(cityHash64(*))) FROM (${sql})`),
      );
    });

    it('inserts data that stand behind the statement', async () => {
      await target.store.command({
        sql: 'CREATE OR REPLACE TABLE suite.inline (a UInt32, s String) ENGINE = MergeTree ORDER BY a',
      });
      await client.command({
        query: `INSERT INTO suite.inline (a, s) FORMAT JSONEachRow\n{"a":1,"s":"; DROP TABLE x"}\n{"a":2,"s":"FORMAT CSV"}`,
      });
      await client.command({ query: `INSERT INTO suite.inline VALUES (3, 'it''s; '), (2 + 2, upper('x'))` });
      await client.command({ query: 'INSERT INTO suite.inline SELECT number, toString(number) FROM numbers(5, 2)' });
      const { rows } = await target.store.query({ sql: 'SELECT * FROM suite.inline ORDER BY a' });
      expect(rows).toEqual([
        [1, '; DROP TABLE x'],
        [2, 'FORMAT CSV'],
        [3, "it's; "],
        [4, 'X'],
        [5, '5'],
        [6, '6'],
      ]);
    });

    it('takes a body through input(), and settings with it', async () => {
      await target.store.command({
        sql: 'CREATE OR REPLACE TABLE suite.input (a UInt32) ENGINE = MergeTree ORDER BY a',
      });
      const path = join(target.dir, 'segment.bin');
      writeFileSync(path, Buffer.from([8, 1, 8, 5])); // the last value of a field counts
      const { stream } = await client.exec({
        query: "INSERT INTO suite.input SELECT a + {add:UInt32} FROM input('a UInt32') FORMAT ProtobufSingle",
        values: createReadStream(path),
        query_params: { add: 100 },
        clickhouse_settings: {
          format_schema_source: 'string',
          format_schema: 'syntax = "proto3"; message A { uint32 a = 1; }',
          format_schema_message_name: 'A',
        } as Record<string, string>,
      });
      for await (const _ of stream);
      expect(await one('SELECT groupArray(a) FROM suite.input')).toEqual([105]);
    });

    it('takes no row of a body with a broken one', async () => {
      await target.store.command({
        sql: 'CREATE OR REPLACE TABLE suite.broken (a UInt32) ENGINE = MergeTree ORDER BY a',
      });
      const error: unknown = await target.store
        .insertRows('suite.broken', [{ a: 1 }, { a: 'x' }])
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreError);
      expect((error as StoreError).engineCode).toBeGreaterThan(0);
      expect(await one('SELECT count() FROM suite.broken')).toBe(0);
    });

    it('streams a result of more than 100 MB', async () => {
      const result = await client.query({
        query: `SELECT number, repeat('x', 50) AS s FROM numbers(${STREAM_ROWS})`,
        format: 'JSONEachRow',
      });
      let bytes = 0;
      let rows = 0;
      for await (const chunk of result.stream<{ number: string }>()) {
        rows += chunk.length;
        for (const row of chunk) bytes += row.text.length + 1;
      }
      expect(rows).toBe(STREAM_ROWS);
      expect(bytes).toBeGreaterThan(100e6);
    });

    it('compresses answers and takes compressed bodies', async () => {
      const query = 'SELECT number FROM numbers(300000) FORMAT CSV';
      const plain = await send(target, { query });
      const zipped = await send(target, {
        query,
        params: { enable_http_compression: '1' },
        headers: { 'Accept-Encoding': 'gzip' },
      });
      expect(zipped.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
      const small = await send(target, { query: 'SELECT 1', headers: { 'Accept-Encoding': 'gzip' } });
      expect(small.body.toString()).toBe('1\n');

      await target.store.command({
        sql: 'CREATE OR REPLACE TABLE suite.zipped (a UInt32) ENGINE = MergeTree ORDER BY a',
      });
      const body = gzipSync(plain.body);
      const params = { query: 'INSERT INTO suite.zipped FORMAT CSV' };
      expect((await send(target, { params, query: body, headers: { 'Content-Encoding': 'gzip' } })).status).toBe(200);
      expect(await one('SELECT count() FROM suite.zipped')).toBe(300_000);
      const garbled = await send(target, {
        params,
        query: Buffer.concat([body.subarray(0, 2000), Buffer.from('garbage')]),
        headers: { 'Content-Encoding': 'gzip' },
      });
      expect(garbled.status).toBeGreaterThanOrEqual(400);
      expect(await one('SELECT count() FROM suite.zipped')).toBe(300_000);
    });

    it.each([
      ['SELECT * FROM suite.nowhere', 404, 60],
      ['SELECT 1 +', 400, 62],
      ['SELECT nothing', 404, 47],
      ['SELECT throwIf(1)', 500, 395],
      ['SELECT * FROM nodb.t', 404, 81],
    ])('answers %s with status %i and code %i', async (query, status, code) => {
      const answer = await send(target, { query });
      expect(answer.status).toBe(status);
      expect(answer.headers['x-clickhouse-exception-code']).toBe(String(code));
      expect(answer.body.toString()).toMatch(
        new RegExp(`^Code: ${code}\\. DB::Exception: [^]+ \\([A-Z_]+\\) \\(version 2\\d\\.`),
      );
      expect((await failure(query)).engineCode).toBe(code);
    });

    it('says who answered what', async () => {
      const { headers } = await send(target, {
        query: 'SELECT 1',
        params: { query_id: 'suite-1', default_format: 'JSON' },
      });
      expect(headers).toMatchObject({
        'x-clickhouse-query-id': 'suite-1',
        'x-clickhouse-format': 'JSON',
        'x-clickhouse-timezone': expect.stringMatching(/UTC/) as string,
      });
      expect(headers['x-clickhouse-server-display-name']).toBeTruthy();
      expect(JSON.parse(String(headers['x-clickhouse-summary']))).toHaveProperty('read_rows');
    });

    it('answers a GET, which may not write', async () => {
      const read = await send(target, { method: 'GET', params: { query: 'SELECT 7' } });
      expect(read.body.toString()).toBe('7\n');
      const write = await send(target, {
        method: 'GET',
        params: { query: 'CREATE TABLE suite.got (a Int8) ENGINE = Memory' },
      });
      expect(write.headers['x-clickhouse-exception-code']).toBe('164');
    });

    it('refuses files of the machine and several statements', async () => {
      for (const query of [
        "SELECT 1 INTO/**/OUTFILE '/tmp/x'",
        "INSERT INTO suite.types FROM INFILE '/etc/hostname' FORMAT CSV",
        'SELECT 1; SELECT 2',
      ]) {
        expect((await send(target, { query })).status).toBeGreaterThanOrEqual(400);
      }
    });

    it('never gives a broken-off result for a whole one', async () => {
      const query = 'SELECT number, throwIf(number = 300000) FROM numbers(400000) FORMAT JSONEachRow';
      for (const params of [{}, { enable_http_compression: '1' }]) {
        const broken = await send(target, {
          query,
          params: { max_block_size: '10000', max_threads: '1', ...params },
          headers: { 'Accept-Encoding': 'gzip' },
        }).then(
          ({ status, body }) => status >= 400 || body.includes('__exception__'),
          () => true,
        );
        expect(broken).toBe(true);
      }
      const result = await client.query({
        query: query.replace(' FORMAT JSONEachRow', ''),
        format: 'JSONEachRow',
        clickhouse_settings: { max_block_size: '10000', max_threads: 1 },
      });
      const reading = (async () => {
        for await (const _ of result.stream());
      })();
      await expect(reading).rejects.toThrow(/throwIf/);
    });

    it('goes on after clients that left in the middle', async () => {
      const slow = 'SELECT max(sipHash64(number, 1)), count() FROM numbers(20000000000)';
      const endless = 'SELECT * FROM numbers(20000000000)';
      for (const sql of [slow, endless, slow, endless, slow, endless]) {
        const leaving = new AbortController();
        const call = target.store.query({ sql, signal: leaving.signal, settings: { max_execution_time: 20 } });
        setTimeout(() => leaving.abort(new Error('changed my mind')), 100);
        await expect(call).rejects.toThrow('changed my mind');
      }
      for (let index = 0; index < 20; index++) expect(await one(`SELECT ${index}`)).toBe(index);
      if (target.socketPath === undefined) return;
      const running =
        "SELECT count() FROM system.processes WHERE query LIKE '%20000000000%' AND query NOT LIKE '%processes%'";
      while (Number(await one(running)) > 0) await sleep(50);
    });

    it('reports a statement that takes too long as a time-out', async () => {
      const error: unknown = await target.store
        .query({
          sql: 'SELECT max(sipHash64(number, 2)) FROM numbers(20000000000)',
          settings: { max_execution_time: 0.3 },
        })
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'store_timeout', engineCode: 159 });
    });

    it('runs short reads beside a long insert', async () => {
      await target.store.command({ sql: 'CREATE OR REPLACE TABLE suite.long (a UInt64) ENGINE = Null' });
      let inserting = true;
      const insert = target.store
        .command({
          sql: 'INSERT INTO suite.long SELECT sleepEachRow(0.01) FROM numbers(100)',
          settings: { max_block_size: 10 },
        })
        .finally(() => (inserting = false));
      let reads = 0;
      for (; inserting && reads < 5; reads++) expect(await one('SELECT 1')).toBe(1);
      expect(inserting).toBe(true);
      expect(reads).toBe(5);
      await insert;
    });
  });
}

interface RawRequest {
  method?: string;
  query?: string | Buffer;
  params?: Record<string, string>;
  headers?: Record<string, string>;
}

interface RawAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** A request without a client library. Rejects when the answer is cut off. */
async function send(
  target: SuiteTarget,
  { method = 'POST', query, params = {}, headers = {} }: RawRequest,
): Promise<RawAnswer> {
  const path = `/?${new URLSearchParams(params).toString()}`;
  const url = target.url === undefined ? undefined : new URL(target.url);
  const auth = url === undefined || url.username === '' ? {} : { auth: `${url.username}:${url.password}` };
  const where: RequestOptions =
    url === undefined ? { socketPath: target.socketPath } : { host: url.hostname, port: url.port, ...auth };
  const call = request({ ...where, method, path, headers });
  call.end(query);
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}
