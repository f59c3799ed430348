import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEPLOYMENTS } from '../../../collectors/index.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { loadRows, queryRows } from '../../support/load-rows.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startMigratedEngine();
});
afterAll(() => engine.stop());
beforeEach(async () => {
  for (const table of ['deployments', 'span_latency_1m'])
    await engine.store.command({ sql: `TRUNCATE TABLE heliograph.${table}` });
});

/** Stores events as they came at `received`. */
async function reported(received: string, ...events: object[]): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(events));
  const { rows, rejects } = DEPLOYMENTS.decode('application/json', bytes, Date.parse(received));
  if (rejects.length > 0) throw new Error(JSON.stringify(rejects));
  await loadRows(engine, 'deployments', rows);
}

/** Spans of a version in every minute from `from` until `to`, both ISO. */
async function served(service: string, version: string, from: string, to: string, everyMinutes = 1): Promise<void> {
  await engine.store.command({
    sql: `INSERT INTO heliograph.span_latency_1m (minute, service, route, kind, status, version, count)
      SELECT toDateTime({from:UInt32}) + number * 60 * {every:UInt32}, {service:String}, '/', 'Server', 'Unset', {version:String}, 1
      FROM numbers(intDiv({to:UInt32} - {from:UInt32}, 60 * {every:UInt32}))`,
    params: { service, version, from: Date.parse(from) / 1000, to: Date.parse(to) / 1000, every: everyMinutes },
    settings: { max_partitions_per_insert_block: 0 },
  });
}

const deploys = (from: string, to: string): Promise<Record<string, unknown>[]> =>
  queryRows(engine, `SELECT * FROM boards.deploys(from = toDateTime('${from}'), to = toDateTime('${to}'))`);
const DAY = ['2026-03-02 00:00:00', '2026-03-03 00:00:00'] as const;
const texts = async (from: string = DAY[0], to: string = DAY[1]): Promise<string[]> =>
  (await deploys(from, to)).map(({ time, source, text }) => `${String(time).slice(0, 16)} ${source}: ${text}`);

describe('events', () => {
  test('of one deployment are one row: what was said last of each field, and silence takes nothing back', async () => {
    const id = { id: 'd-1', service: 'checkout' };
    await reported('2026-03-02T10:00:01Z', {
      ...id,
      version: '1.4.1',
      sha: '7638417DB6D5',
      repository: 'octo-org/shop',
      kind: 'hotfix',
      status: 'started',
      startedAt: '2026-03-02T10:00:00Z',
    });
    await reported('2026-03-02T10:05:01Z', {
      ...id,
      version: '1.4.2',
      status: 'success',
      finishedAt: '2026-03-02T10:05:00Z',
    });
    await reported('2026-03-02T10:06:00Z', id);
    expect(await deploys(...DAY)).toEqual([
      {
        time: '2026-03-02 10:05:00.000',
        service: 'checkout',
        environment: 'production',
        version: '1.4.2',
        sha: '7638417db6d5',
        repository: 'octo-org/shop',
        kind: 'hotfix',
        status: 'success',
        source: 'event',
        id: 'd-1',
        text: 'checkout 1.4.2 (hotfix)',
      },
    ]);
  });

  test('what was said of a deployment before the window began counts in it', async () => {
    const id = { id: 'd-1', service: 'checkout' };
    await reported('2026-03-01T10:00:01Z', { ...id, version: '1.4.2', kind: 'rollback', status: 'started' });
    await reported('2026-03-02T10:05:01Z', { ...id, status: 'success', finishedAt: '2026-03-02T10:05:00Z' });
    expect(await texts()).toEqual(['2026-03-02 10:05 event: checkout 1.4.2 (rollback)']);
    expect(await texts('2026-03-01 00:00:00', '2026-03-02 00:00:00')).toEqual([]);
  });

  test('told twice, in one body or later, count once and keep their time', async () => {
    const event = { id: 'd-1', service: 'checkout', status: 'success', version: '2' };
    await reported('2026-03-02T10:00:00Z', event, event);
    await reported('2026-03-02T11:00:00Z', event);
    await engine.store.command({ sql: 'OPTIMIZE TABLE heliograph.deployments FINAL' });
    expect(await texts()).toEqual(['2026-03-02 10:00 event: checkout 2']);
  });

  test('in one body, the later of a deployment wins', async () => {
    const id = { id: 'd-1', service: 'checkout' };
    await reported('2026-03-02T10:00:00Z', { ...id, status: 'started' }, { ...id, status: 'failure' });
    expect(await texts()).toEqual(['2026-03-02 10:00 event: checkout d-1 (failure)']);
  });

  test('without a status claim no success, without a kind no plan', async () => {
    await reported('2026-03-02T10:00:00Z', { id: 'd-1', service: 'checkout' });
    expect(await deploys(...DAY)).toMatchObject([{ status: 'unknown', kind: null, text: 'checkout d-1' }]);
  });

  test('the same id in another service or environment is another deployment', async () => {
    const sha = '7638417db6d59f3c431d3e1f261cc637155684cd';
    await reported(
      '2026-03-02T10:00:00Z',
      { id: '7', service: 'a', sha },
      { id: '7', service: 'b', sha, kind: 'rollback' },
      { id: '7', service: 'b', sha, environment: 'staging', kind: 'planned', status: 'failure' },
    );
    expect((await deploys(...DAY)).map(({ text }) => text).toSorted()).toEqual([
      'a 7638417',
      'b 7638417 (rollback)',
      'b 7638417 (staging, failure)',
    ]);
  });

  test('lie where they finished, else where they started, else where they were first reported', async () => {
    const times = { startedAt: '2026-03-01T10:00:00Z', finishedAt: '2026-03-01T10:30:00Z' };
    await reported(
      '2026-03-02T10:00:00Z',
      { id: 'a', service: 's', ...times },
      { id: 'b', service: 's', startedAt: times.startedAt },
      { id: 'c', service: 's' },
      { id: 'd', service: 's', finishedAt: '2026-03-02T11:00:00Z' },
    );
    expect(await texts('2026-03-01 00:00:00')).toEqual([
      '2026-03-01 10:00 event: s b',
      '2026-03-01 10:30 event: s a',
      '2026-03-02 10:00 event: s c',
      '2026-03-02 11:00 event: s d',
    ]);
    // The window holds its first second and not its last; an event may lie an hour ahead of its arrival.
    expect(await texts('2026-03-02 11:00:00')).toEqual(['2026-03-02 11:00 event: s d']);
    expect(await texts('2026-03-02 10:00:00', '2026-03-02 11:00:00')).toEqual(['2026-03-02 10:00 event: s c']);
  });
});

describe('versions seen', () => {
  test('a new version of a known service is a deployment, its first version ever is none', async () => {
    await served('checkout', '1.0', '2026-02-24T00:00:00Z', '2026-03-02T12:03:00Z');
    await served('checkout', '1.1', '2026-03-02T12:00:00Z', '2026-03-02T18:00:00Z');
    await served('newcomer', '0.1', '2026-03-02T08:00:00Z', '2026-03-02T18:00:00Z');
    expect(await deploys(...DAY)).toEqual([
      {
        time: '2026-03-02 12:00:00.000',
        service: 'checkout',
        environment: '',
        version: '1.1',
        sha: '',
        repository: '',
        kind: null,
        status: 'seen',
        source: 'version seen',
        id: 'checkout@1.1',
        text: 'checkout 1.1',
      },
    ]);
  });

  test('nothing happens at the left edge of a window: what was seen before it counts, however long ago', async () => {
    await served('steady', '1.0', '2026-02-24T00:00:00Z', '2026-03-03T00:00:00Z');
    await served('steady', '2.0', '2026-02-27T00:00:00Z', '2026-03-03T00:00:00Z');
    // A version that serves once in two days, and one that comes back after a week.
    await served('rare', '1.0', '2026-02-24T00:00:00Z', '2026-03-03T00:00:00Z', 2880);
    await served('rare', '1.1', '2026-02-24T06:00:00Z', '2026-03-03T00:00:00Z', 2880);
    await served('back', '1.0', '2026-02-24T00:00:00Z', '2026-02-26T00:00:00Z');
    await served('back', '1.1', '2026-02-26T00:00:00Z', '2026-03-02T12:00:00Z');
    await served('back', '1.0', '2026-03-02T12:00:00Z', '2026-03-03T00:00:00Z');
    expect(await texts()).toEqual([]);
    expect(await texts('2026-02-23 00:00:00')).toEqual([
      '2026-02-24 06:00 version seen: rare 1.1',
      '2026-02-26 00:00 version seen: back 1.1',
      '2026-02-27 00:00 version seen: steady 2.0',
    ]);
  });

  test('once history is cut, its oldest day tells of no version: what ran before it is not known', async () => {
    // Minutes that begin forty days after the tables were made, as if those before had been dropped.
    const day = (days: number, time = '00:00'): string =>
      `${new Date(Date.now() + (40 + days) * 86_400_000).toISOString().slice(0, 10)}T${time}:00Z`;
    await served('checkout', '1', day(0), day(3), 60);
    await served('checkout', '2', day(0, '10:00'), day(3), 60);
    await served('checkout', '3', day(1, '10:00'), day(3), 60);
    const window = [day(0), day(3)].map((time) => time.replace('T', ' ').slice(0, 19)) as [string, string];
    expect((await deploys(...window)).map(({ id }) => id)).toEqual(['checkout@3']);
  });

  test('spans without a version tell of no deployment, and are no version before the first', async () => {
    await served('checkout', '', '2026-03-01T00:00:00Z', '2026-03-02T10:00:00Z');
    await served('checkout', '1.0', '2026-03-02T10:00:00Z', '2026-03-02T12:00:00Z');
    await served('checkout', '', '2026-03-02T12:00:00Z', '2026-03-02T18:00:00Z');
    expect(await texts()).toEqual([]);
  });

  test('within half an hour of an event of the same service and version it is that deployment', async () => {
    for (const service of ['early', 'late', 'far', 'other']) {
      await served(service, '1', '2026-03-02T06:00:00Z', '2026-03-02T12:00:00Z');
      await served(service, '2', '2026-03-02T12:00:00Z', '2026-03-02T18:00:00Z');
    }
    const event = (service: string, version: string, finishedAt: string): object => ({
      id: service,
      service,
      version,
      finishedAt,
    });
    await reported(
      '2026-03-02T13:00:00Z',
      event('early', '2', '2026-03-02T11:30:00Z'),
      event('late', '2', '2026-03-02T12:30:00Z'),
      event('far', '2', '2026-03-02T12:30:01Z'),
      event('other', '3', '2026-03-02T12:00:00Z'),
    );
    expect(await texts()).toEqual([
      '2026-03-02 11:30 event: early 2',
      '2026-03-02 12:00 version seen: far 2',
      '2026-03-02 12:00 event: other 3',
      '2026-03-02 12:00 version seen: other 2',
      '2026-03-02 12:30 event: late 2',
      '2026-03-02 12:30 event: far 2',
    ]);
    // Also where the event lies outside the window and the first span inside, or the other way round.
    expect(await texts('2026-03-02 11:45:00', '2026-03-02 12:15:00')).toEqual([
      '2026-03-02 12:00 version seen: far 2',
      '2026-03-02 12:00 event: other 3',
      '2026-03-02 12:00 version seen: other 2',
    ]);
    expect(await texts('2026-03-02 12:15:00', '2026-03-02 13:00:00')).toEqual([
      '2026-03-02 12:30 event: late 2',
      '2026-03-02 12:30 event: far 2',
    ]);
  });

  test('an hour of a steady fleet is answered from the days around it, not from the whole history', async () => {
    for (const service of ['a', 'b', 'c', 'd', 'e'])
      await served(service, '1.0', '2026-02-25T00:00:00Z', '2026-03-02T12:00:00Z');
    const stored = 5.5 * 1440 * 5;
    const settings = { max_rows_to_read: stored / 2, read_overflow_mode: 'throw' };
    const read = (from: string) => engine.store.query({ sql: `SELECT * FROM ${from}`, settings });
    await expect(read('heliograph.span_latency_1m')).rejects.toThrow(/rows/);
    const window = "from = toDateTime('2026-03-02 11:00:00'), to = toDateTime('2026-03-02 12:00:00')";
    expect((await read(`boards.deploys(${window})`)).rows).toEqual([]);
  });
});
