/** Deliveries over real sockets and real files: what receivers get, when they get it again, and when it is given up. */
import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { eventually } from '../support/heliograph-process.ts';
import { type Alerting, openAlerting, scriptedRule } from './alerting.ts';
import { bodyOf, type Received, type Receiver, startReceiver, writeIn, removeDir } from './harness.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let dir: string;
let receiver: Receiver;
let clock: FakeClock;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-alerts-'));
  receiver = await startReceiver();
  clock = new FakeClock();
});
afterEach(async () => {
  await receiver.close();
  await removeDir(dir);
});

const open = (rule = scriptedRule('/pay'), secretFile?: string): Promise<Alerting> =>
  openAlerting(dir, clock, rule, [{ name: 'team', url: receiver.url, secretFile }]);

/** Firing and delivered. */
async function fired(rule = scriptedRule('/pay')): Promise<Alerting> {
  const alerting = await open(rule);
  await alerting.evaluate();
  await alerting.deliver();
  return alerting;
}

const keys = (): unknown[] => receiver.received.map(({ headers }) => headers['idempotency-key']);
const routeOf = (one: Received): string | undefined =>
  (bodyOf(one).alerts[0]?.['labels'] as Record<string, string> | undefined)?.['route'];
const outcomes = ({ rows }: Alerting): unknown[] =>
  rows.deliveries.map(({ attempt, outcome, http_status: status }) => [attempt, outcome, status]);

/** The rows go their own way; they are there soon. */
const settledOutcomes = (alerting: Alerting, count: number): Promise<unknown[]> =>
  eventually(async () => (alerting.rows.deliveries.length >= count ? outcomes(alerting) : undefined));

test('a receiver gets a signed v4 message for firing and for resolved, each with a key of its own', async () => {
  const rule = scriptedRule('/pay');
  const alerting = await open(rule, writeIn(dir, 'secret', 'key'));
  await alerting.evaluate();
  await alerting.deliver();
  rule.slow.clear();
  await clock.advance(30_000);
  await alerting.evaluate();
  await alerting.deliver();
  expect(receiver.received.map((one) => bodyOf(one)['status'])).toEqual(['firing', 'resolved']);
  for (const { headers, body } of receiver.received) {
    expect(headers['content-type']).toBe('application/json');
    expect(headers['user-agent']).toBe('Heliograph/test');
    expect(headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/);
    expect(headers['x-heliograph-signature-256']).toBe(
      `sha256=${createHmac('sha256', 'key').update(body).digest('hex')}`,
    );
  }
  expect(new Set(keys()).size).toBe(2);
  expect(await settledOutcomes(alerting, 2)).toEqual([
    [1, 'delivered', 204],
    [1, 'delivered', 204],
  ]);
  expect(alerting.rows.alerts.map(({ status }) => status)).toEqual(['pending', 'firing', 'resolved']);
});

test('without a secret there is no signature', async () => {
  await fired();
  expect(receiver.received[0]?.headers).not.toHaveProperty('x-heliograph-signature-256');
});

describe('a receiver that is not well', () => {
  test('is asked again, later each time, with the same key and the same bytes', async () => {
    const answers = [500, 503, 204];
    receiver.answer = (response) => response.writeHead(answers.shift() ?? 500).end('no');
    const alerting = await fired();
    const waits: number[] = [];
    for (let waitedMs = 0; receiver.received.length < 3; waitedMs += 1000) {
      const before = receiver.received.length;
      await clock.advance(1000);
      await alerting.deliver();
      if (receiver.received.length > before) waits.push(waitedMs + 1000);
    }
    expect(waits).toEqual([5_000, 15_000]);
    expect(new Set(keys()).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body.toString())).size).toBe(1);
    expect(await settledOutcomes(alerting, 3)).toEqual([
      [1, 'refused', 500],
      [2, 'refused', 503],
      [3, 'delivered', 204],
    ]);
    expect(alerting.book.current().outbox).toEqual([]);
  });

  test.each([
    ['seconds', () => '120'],
    ['a date', () => new Date(clock.nowMs() + 120_000).toUTCString()],
  ])('that says Retry-After in %s is left alone until then, by every message', async (_, retryAfter) => {
    receiver.answer = (response) => response.writeHead(429, { 'retry-after': retryAfter() }).end();
    const rule = scriptedRule('/pay');
    const alerting = await fired(rule);
    receiver.answer = (response) => response.writeHead(200).end();
    rule.slow.add('/cart');
    await alerting.evaluate();
    await clock.advance(119_000);
    await alerting.deliver();
    expect(receiver.received).toHaveLength(1);
    await clock.advance(1_000);
    await alerting.deliver();
    expect(receiver.received).toHaveLength(3);
  });

  test('and hangs is given ten seconds', async () => {
    receiver.answer = () => {};
    const alerting = await open();
    await alerting.evaluate();
    const delivery = alerting.deliver();
    await eventually(async () => receiver.received[0]);
    await clock.advance(9_999);
    expect(alerting.book.current().outbox[0]?.attempts).toBe(0);
    await clock.advance(1);
    await delivery;
    expect(await settledOutcomes(alerting, 1)).toEqual([[1, 'timeout', null]]);
  });

  test('and sends an answer without an end has answered', async () => {
    receiver.answer = (response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
        response.once('drain', more);
      };
      more();
    };
    expect(await settledOutcomes(await fired(), 1)).toEqual([[1, 'delivered', 200]]);
  });

  test('is given up after a day, and that is on the record', async () => {
    await receiver.close();
    const alerting = await fired();
    for (let hours = 0; hours < 23; hours++) {
      await clock.advance(HOUR);
      await alerting.deliver();
    }
    expect(alerting.book.current().outbox).toHaveLength(1);
    await clock.advance(HOUR);
    await alerting.deliver();
    expect(alerting.book.current().outbox).toEqual([]);
    const said = await settledOutcomes(alerting, 25);
    expect(said.slice(0, 24)).toEqual(Array.from({ length: 24 }, (_, index) => [index + 1, 'unreachable', null]));
    expect(said.at(-1)).toEqual([25, 'gave_up', null]);
    expect(alerting.log.lines.find(({ level }) => level === 'error')?.fields).toMatchObject({
      receiver: 'team',
      reason: 'not delivered within a day',
    });
  });
});

describe('a receiver that says no', () => {
  test('with a redirect is not followed, and given up after three times', async () => {
    const elsewhere = await startReceiver();
    receiver.answer = (response) => response.writeHead(307, { location: elsewhere.url }).end();
    const alerting = await fired();
    for (let i = 0; i < 5; i++) {
      await clock.advance(HOUR);
      await alerting.deliver();
    }
    expect(receiver.received).toHaveLength(3);
    expect(elsewhere.received).toEqual([]);
    await elsewhere.close();
    expect(await settledOutcomes(alerting, 4)).toEqual([
      [1, 'redirected', 307],
      [2, 'redirected', 307],
      [3, 'redirected', 307],
      [4, 'gave_up', null],
    ]);
    expect(JSON.stringify(alerting.log.lines)).toContain('answered with a redirect, which is not followed (307)');
  });

  test('to one message is told the others', async () => {
    receiver.answer = (response, one) =>
      response
        .writeHead(bodyOf(one).alerts[0]?.['generatorURL']?.toString().includes('pay') === true ? 400 : 200)
        .end();
    const alerting = await fired(scriptedRule('/pay', '/cart'));
    expect(receiver.received).toHaveLength(2);
    expect(alerting.book.current().outbox).toHaveLength(1);
  });
});

test('resolved waits for firing, and comes after it', async () => {
  let well = false;
  receiver.answer = (response) => response.writeHead(well ? 204 : 500).end();
  const rule = scriptedRule('/pay');
  const alerting = await fired(rule);
  rule.slow.clear();
  await clock.advance(HOUR);
  await alerting.evaluate();
  await alerting.deliver();
  expect(receiver.received.map((one) => bodyOf(one)['status'])).toEqual(['firing', 'firing']);
  well = true;
  await clock.advance(HOUR);
  await alerting.deliver();
  expect(receiver.received.map((one) => bodyOf(one)['status'])).toEqual(['firing', 'firing', 'firing', 'resolved']);
});

test('resolved waits for a firing that was refused, while other alerts pass', async () => {
  receiver.answer = (response, one) => response.writeHead(bodyOf(one)['status'] === 'firing' ? 400 : 204).end();
  const rule = scriptedRule('/pay');
  const alerting = await fired(rule);
  receiver.answer = (response) => response.writeHead(204).end();
  rule.slow.clear();
  await alerting.evaluate();
  rule.slow.add('/cart');
  await alerting.evaluate();
  await alerting.deliver();
  const told = (): unknown[] => receiver.received.map((one) => [bodyOf(one)['status'], routeOf(one)]);
  expect(told()).toEqual([
    ['firing', '/pay'],
    ['firing', '/cart'],
  ]);
  await clock.advance(MINUTE);
  await alerting.deliver();
  expect(told().slice(2)).toEqual([
    ['firing', '/pay'],
    ['resolved', '/pay'],
  ]);
});

test('a receiver that hangs holds up no other', async () => {
  const other = await startReceiver();
  receiver.answer = () => {};
  const alerting = await openAlerting(dir, clock, scriptedRule('/pay'), [
    { name: 'hangs', url: receiver.url },
    { name: 'well', url: other.url },
  ]);
  await alerting.evaluate();
  const hanging = alerting.deliver('hangs');
  await alerting.deliver('well');
  expect(other.received).toHaveLength(1);
  await eventually(async () => receiver.received[0]);
  await clock.advance(10_000);
  await hanging;
  await other.close();
});

describe('the secret', () => {
  test('that cannot be read is a failed attempt with a reason, never a message without a signature', async () => {
    const path = join(dir, 'later');
    const alerting = await open(scriptedRule('/pay'), path);
    await alerting.evaluate();
    await alerting.deliver();
    expect(receiver.received).toEqual([]);
    expect(await settledOutcomes(alerting, 1)).toEqual([[1, 'no_secret', null]]);
    expect(JSON.stringify(alerting.log.lines)).toContain(`secret file ${path}: ENOENT`);
    writeFileSync(path, '\n');
    await clock.advance(5_000);
    await alerting.deliver();
    expect(receiver.received).toEqual([]);
    expect(JSON.stringify(alerting.log.lines)).toContain('is empty');
    writeFileSync(path, 'now');
    await clock.advance(10_000);
    await alerting.deliver();
    expect(receiver.received).toHaveLength(1);
  });

  test('is read anew for every delivery', async () => {
    const path = writeIn(dir, 'secret', 'one');
    const rule = scriptedRule('/pay');
    const alerting = await open(rule, path);
    await alerting.evaluate();
    await alerting.deliver();
    writeFileSync(path, 'two');
    rule.slow.clear();
    await alerting.evaluate();
    await alerting.deliver();
    const signed = receiver.received.map(({ headers, body }) => [
      headers['x-heliograph-signature-256'],
      ['one', 'two'].map((key) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`),
    ]);
    expect(signed.map(([actual, expected]) => expected?.indexOf(String(actual)))).toEqual([0, 1]);
  });

  test('and the password of a URL stand in no log line and no row', async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    const url = receiver.url.replace('http://', 'http://hook:hunter2@');
    const alerting = await openAlerting(dir, clock, scriptedRule('/pay'), [
      { name: 'team', url, secretFile: writeIn(dir, 'secret', 'open sesame') },
    ]);
    await alerting.evaluate();
    await alerting.deliver();
    await receiver.close();
    await clock.advance(5_000);
    await alerting.deliver();
    expect(receiver.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('hook:hunter2').toString('base64')}`);
    await settledOutcomes(alerting, 2);
    const kept = readFileSync(join(dir, 'alerts', 'state.json'), 'utf8');
    for (const text of [JSON.stringify(alerting.log.lines), JSON.stringify(alerting.rows), kept])
      expect(text).not.toMatch(/hunter2|open sesame/);
  });
});

describe('a restart', () => {
  test('goes on with what was waiting, with the same key, and fires nothing anew', async () => {
    const url = receiver.url;
    receiver.answer = (response) => response.writeHead(500).end();
    const rule = scriptedRule('/pay');
    await fired(rule);
    await receiver.close();
    const [first] = receiver.received;
    receiver = await startReceiver(Number(new URL(url).port));
    await clock.advance(MINUTE);
    const again = await open(rule);
    await again.evaluate();
    await again.deliver();
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
    expect(receiver.received[0]?.body).toEqual(first?.body);
  });

  test('while the store is down resolves nothing', async () => {
    const rule = scriptedRule('/pay');
    await fired(rule);
    rule.down = true;
    const again = await open(rule);
    for (let i = 0; i < 5; i++) {
      await clock.advance(HOUR);
      await again.evaluate();
    }
    expect(Object.values(again.book.current().machine.open)).toMatchObject([{ status: 'firing' }]);
    const said = again.log.lines.filter(({ message }) => message.startsWith('an alert rule cannot be evaluated'));
    expect(said).toHaveLength(1);
  });

  test('without a receiver that was configured before gives its messages up', async () => {
    receiver.answer = (response) => response.writeHead(500).end();
    await fired();
    const again = await openAlerting(dir, clock, scriptedRule('/pay'), [{ name: 'new', url: receiver.url }]);
    expect(again.book.current().outbox).toEqual([]);
    expect(JSON.stringify(again.log.lines)).toContain('the receiver is no longer configured');
  });

  test.each(['not json', '{"version":7}', ''])(
    'on a state file of %j sets it aside, says so and begins anew',
    async (text) => {
      const path = writeIn(join(dir, 'alerts'), 'state.json', text);
      const alerting = await fired();
      const [aside] = readdirSync(join(dir, 'alerts')).filter((name) => name.includes('broken'));
      expect(readFileSync(join(dir, 'alerts', aside ?? ''), 'utf8')).toBe(text);
      expect(alerting.log.lines.find(({ level }) => level === 'error')?.message).toContain('was set aside');
      expect(receiver.received).toHaveLength(1);
      expect(existsSync(path)).toBe(true);
    },
  );
});

describe('trouble elsewhere', () => {
  test('a journal that refuses or hangs delays rows, not messages', async () => {
    const rule = scriptedRule('/pay');
    const alerting = await open(rule);
    alerting.rows.mode = 'refuse';
    await alerting.evaluate();
    await alerting.deliver();
    expect(receiver.received).toHaveLength(1);
    expect(alerting.rows.alerts).toEqual([]);
    alerting.rows.mode = 'keep';
    await eventually(async () => {
      await alerting.deliver();
      return alerting.rows.deliveries.length > 0 ? true : undefined;
    });
    expect(alerting.rows.alerts.map(({ status }) => status)).toEqual(['pending', 'firing']);
    alerting.rows.mode = 'hang';
    rule.slow.clear();
    await alerting.evaluate();
    await alerting.deliver();
    expect(receiver.received).toHaveLength(2);
  });

  test('rows that were not durable yet outlive a restart', async () => {
    const alerting = await open();
    alerting.rows.mode = 'hang';
    await alerting.evaluate();
    await alerting.deliver();
    const again = await open();
    await again.deliver();
    expect(await settledOutcomes(again, 1)).toEqual([[1, 'delivered', 204]]);
    expect(again.rows.alerts.map(({ status }) => status)).toEqual(['pending', 'firing']);
  });

  test('a disk that takes no state stops no message', async () => {
    const alerting = await open();
    writeFileSync(join(dir, 'alerts'), 'a file where the folder should be');
    await alerting.evaluate();
    await alerting.deliver();
    expect(receiver.received).toHaveLength(1);
    expect(alerting.log.lines.some(({ message }) => message.includes('could not be written'))).toBe(true);
  });

  test('a stop in the middle of an evaluation decides nothing, running out of time keeps nothing back', async () => {
    const rule = scriptedRule('/pay');
    const { enrich } = rule;
    let why: DOMException | undefined;
    const abort = new AbortController();
    rule.enrich = (fired, context) => {
      abort.abort(why);
      return enrich(fired, context);
    };
    const alerting = await open(rule);
    why = new DOMException('stop', 'AbortError');
    await alerting.evaluate(abort.signal);
    expect(alerting.book.current().machine.open).toEqual({});
    await alerting.evaluate(AbortSignal.abort(new DOMException('late', 'TimeoutError')));
    await alerting.deliver();
    expect(receiver.received).toHaveLength(1);
  });

  test('a stop in the middle of an attempt is no attempt', async () => {
    receiver.answer = () => {};
    const alerting = await open();
    await alerting.evaluate();
    const stop = new AbortController();
    const delivery = alerting.deliver('team', stop.signal);
    await eventually(async () => receiver.received[0]);
    stop.abort();
    await delivery;
    expect(alerting.book.current().outbox).toMatchObject([{ attempts: 0 }]);
    expect(clock.timers).toBe(0);
  });
});
