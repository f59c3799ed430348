import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../support/fake-clock.ts';
import { PERSON, signatureOf, workflowJob, workflowRun } from '../../support/github-payloads.ts';
import { type MainPort, type MainPortOptions, startMainPort } from '../../support/main-port.ts';
import { eventually } from '../../support/heliograph-process.ts';

const SECRET = "It's a Secret to Everybody";

let scratch: string;
let secretFile: string;
let port: MainPort;

const open = async (options: MainPortOptions = {}): Promise<void> => {
  port = await startMainPort({ secretFile, ...options });
};
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'heliograph-hooks-'));
  secretFile = join(scratch, 'github.secret');
  writeFileSync(secretFile, `${SECRET}\n`);
});
afterEach(async () => {
  await port.stop();
  rmSync(scratch, { recursive: true, force: true });
});

interface Answer {
  status: number;
  json: Record<string, unknown> & { error?: { code: string; message: string } };
  headers: Headers;
}

/** Headers of a delivery as GitHub sends them; undefined takes one away. */
type HeaderEdits = Record<string, string | undefined>;

function headersOf(body: string | Uint8Array, edits: HeaderEdits): Record<string, string> {
  const headers: HeaderEdits = {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/044aadd',
    'x-github-event': 'workflow_run',
    'x-github-delivery': randomUUID(),
    'x-github-hook-id': '292430182',
    'x-hub-signature': 'sha1=7d38cdd689735b008b3c702edd92eea23791c5f6',
    'x-hub-signature-256': signatureOf(SECRET, body),
    ...edits,
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

async function deliver(document: unknown, edits: HeaderEdits = {}): Promise<Answer> {
  const body = typeof document === 'string' ? document : JSON.stringify(document);
  const response = await fetch(`${port.url}/hooks/github`, { method: 'POST', body, headers: headersOf(body, edits) });
  return { status: response.status, json: (await response.json()) as Answer['json'], headers: response.headers };
}

const counts = (): Record<string, number> =>
  Object.fromEntries(port.doors.ledger.totals().map(({ event, outcome, count }) => [`${event} ${outcome}`, count]));

describe('what is taken', () => {
  test('a run and a job become a row each, durable before the answer', async () => {
    await open();
    expect(await deliver(workflowRun())).toMatchObject({ status: 202, json: { outcome: 'stored', duplicate: false } });
    const job = await deliver(workflowJob(), { 'x-github-event': 'workflow_job' });
    expect(job.status).toBe(202);
    expect(await port.rows('ci_runs')).toMatchObject([
      { repository: 'octo-org/shop', run_id: 289_782_451, attempt: 1 },
    ]);
    expect(await port.rows('ci_jobs')).toMatchObject([{ job_id: 2_832_853_555, name: 'build' }]);
    expect(counts()).toEqual({ 'workflow_run stored': 1, 'workflow_job stored': 1 });
  });

  test('a form is as good as JSON', async () => {
    await open();
    const form = new URLSearchParams({ payload: JSON.stringify(workflowRun({ workflow: 'a+b&c=d é' })) }).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    expect((await deliver(form, type)).status).toBe(202);
    expect(await port.rows('ci_runs')).toMatchObject([{ workflow: 'a+b&c=d é' }]);
    expect(await deliver('zen=1', type)).toMatchObject({
      status: 400,
      json: { error: { message: 'payload is required' } },
    });
  });

  test.each(['push', 'ping', 'check_suite', 'next_years_event'])(
    '%s is acked and leaves nothing, whatever it holds',
    async (event) => {
      await open();
      const answer = await deliver('{ this is no JSON', { 'x-github-event': event });
      expect(answer).toMatchObject({ status: 200, json: { outcome: 'ignored' } });
      expect(port.journal.stats().bodies).toBe(0);
      expect(counts()).toEqual({ [`${['push', 'ping'].includes(event) ? event : 'other'} ignored`]: 1 });
    },
  );

  test('no person and no address of one reaches the journal or the log', async () => {
    await open();
    await deliver(workflowRun());
    await deliver(workflowJob(), { 'x-github-event': 'workflow_job' });
    const stored = JSON.stringify([await port.rows('ci_runs'), await port.rows('ci_jobs'), port.log.lines]);
    for (const word of [PERSON.login, PERSON.email, 'Octo Developer']) expect(stored).not.toContain(word);
  });

  test('a delivery through a tunnel names a foreign host and carries no token', async () => {
    await open({ token: 'of-the-api' });
    const body = JSON.stringify(workflowRun());
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = httpRequest(`${port.url}/hooks/github`, {
        method: 'POST',
        headers: { ...headersOf(body, {}), host: 'hooks.example.org' },
      });
      outgoing.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      outgoing.end(body);
    });
    expect(status).toBe(202);
    const other = await fetch(`${port.url}/api/status`);
    expect(other.status).toBe(401);
  });

  test('no span tells of it: that would be a delivery for every delivery', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    await open({ tracer: provider.getTracer('test') });
    await deliver(workflowRun());
    await fetch(`${port.url}/v1/deployments`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    await fetch(`${port.url}/healthz`);
    const names = await eventually(async () => {
      const spans = exporter.getFinishedSpans().map(({ name }) => name);
      return spans.length > 0 ? spans : undefined;
    });
    expect(names).toEqual(['GET /healthz']);
  });

  test('a chunked body is read whole before it is judged', async () => {
    await open();
    const body = Buffer.from(JSON.stringify(workflowRun()));
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = httpRequest(`${port.url}/hooks/github`, { method: 'POST', headers: headersOf(body, {}) });
      outgoing.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
      for (let at = 0; at < body.length; at += 700) outgoing.write(body.subarray(at, at + 700));
      outgoing.end();
    });
    expect(status).toBe(202);
  });
});

describe('signatures', () => {
  test('the published vector is accepted', async () => {
    await open();
    const published = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
    const signed = { 'x-github-event': 'ping', 'x-hub-signature-256': published };
    expect((await deliver('Hello, World!', signed)).status).toBe(200);
    expect((await deliver('Hello, World?', signed)).status).toBe(401);
  });

  const good = signatureOf(SECRET, JSON.stringify(workflowRun()));
  test.each<[string, HeaderEdits]>([
    ['missing', { 'x-hub-signature-256': undefined }],
    [
      'SHA-1 alone',
      { 'x-hub-signature-256': undefined, 'x-hub-signature': 'sha1=7d38cdd689735b008b3c702edd92eea23791c5f6' },
    ],
    ['empty', { 'x-hub-signature-256': '' }],
    ['of another secret', { 'x-hub-signature-256': signatureOf('guess', JSON.stringify(workflowRun())) }],
    ['of the empty secret', { 'x-hub-signature-256': signatureOf('', JSON.stringify(workflowRun())) }],
    [
      'of the secret with its newline',
      { 'x-hub-signature-256': signatureOf(`${SECRET}\n`, JSON.stringify(workflowRun())) },
    ],
    ['cut short', { 'x-hub-signature-256': good.slice(0, -1) }],
    ['too long', { 'x-hub-signature-256': `${good}0` }],
    ['without its prefix', { 'x-hub-signature-256': good.slice('sha256='.length) }],
    ['of another algorithm', { 'x-hub-signature-256': good.replace('sha256', 'sha512') }],
    ['not hex', { 'x-hub-signature-256': `sha256=${'g'.repeat(64)}` }],
    ['one bit off', { 'x-hub-signature-256': good.slice(0, -1) + (good.endsWith('0') ? '1' : '0') }],
    ['given twice', { 'x-hub-signature-256': `${good}, ${good}` }],
  ])('one that is %s is refused, and nothing is stored or kept', async (_name, edits) => {
    await open();
    const answer = await deliver(workflowRun(), edits);
    expect(answer).toMatchObject({ status: 401, json: { error: { code: 'bad_signature' } } });
    expect(answer.json.error?.message).toContain('X-Hub-Signature-256');
    expect(port.journal.stats().bodies).toBe(0);
    expect(await port.quarantined()).toEqual([]);
    expect(counts()).toEqual({ 'workflow_run bad_signature': 1 });
  });

  test('it is checked before anything is parsed', async () => {
    await open();
    const answer = await deliver('{ broken', { 'x-hub-signature-256': signatureOf('guess', '{ broken') });
    expect(answer.status).toBe(401);
  });

  test('it covers the bytes, not the document: another spelling of the same JSON does not pass', async () => {
    await open();
    const compact = JSON.stringify(workflowRun());
    const spaced = JSON.stringify(workflowRun(), null, 2);
    expect((await deliver(spaced, { 'x-hub-signature-256': signatureOf(SECRET, compact) })).status).toBe(401);
  });
});

describe('secrets', () => {
  test('without a secret file the hook is closed and says how to open it', async () => {
    port = await startMainPort();
    const answer = await deliver(workflowRun());
    expect(answer.status).toBe(404);
    expect(answer.json.error?.message).toContain('hooks.github.secretFile');
    expect(port.doors.sources).toEqual(['deployments']);
  });

  test('a new secret counts at once, two while they change, and the old one no longer after', async () => {
    const clock = new FakeClock(Date.now());
    await open({ clock });
    const body = JSON.stringify(workflowRun());
    const withSecret = async (secret: string): Promise<number> =>
      (await deliver(body, { 'x-hub-signature-256': signatureOf(secret, body) })).status;
    const rewrite = (text: string): void => {
      writeFileSync(`${secretFile}.new`, text);
      renameSync(`${secretFile}.new`, secretFile);
    };
    expect(await withSecret('second')).toBe(401);
    rewrite(`${SECRET}\r\nsecond\r\n`);
    expect([await withSecret('second'), await withSecret(SECRET)]).toEqual([202, 202]);
    rewrite('second');
    await clock.advance(1000);
    expect([await withSecret(SECRET), await withSecret('second')]).toEqual([401, 202]);
  });

  test('a file that is emptied or gone leaves the secret in force', async () => {
    const clock = new FakeClock(Date.now());
    await open({ clock });
    writeFileSync(secretFile, '\n');
    await clock.advance(1000);
    expect((await deliver(workflowRun())).status).toBe(202);
    expect(
      (await deliver(workflowRun(), { 'x-hub-signature-256': signatureOf('', JSON.stringify(workflowRun())) })).status,
    ).toBe(401);
    rmSync(secretFile);
    await clock.advance(1000);
    expect((await deliver(workflowRun())).status).toBe(202);
    const reasons = port.log.lines
      .filter(({ message }) => message === 'webhook secret not read')
      .map(({ fields }) => fields['reason']);
    expect(reasons).toEqual(['the file is empty', 'ENOENT']);
  });

  test.each([
    ['missing', undefined, 'ENOENT'],
    ['empty', '\n\n', 'the file is empty'],
    ['of many lines', 'a\nb\nc\nd\ne\n', 'more than 4 lines'],
  ])('a file that is %s at the start opens nothing, until it is mended', async (_name, text, reason) => {
    rmSync(secretFile);
    if (text !== undefined) writeFileSync(secretFile, text);
    await open();
    const answer = await deliver(workflowRun());
    expect(answer).toMatchObject({ status: 500, json: { error: { code: 'bad_config' } } });
    expect(answer.json.error?.message).toContain(reason);
    writeFileSync(secretFile, SECRET);
    await eventually(async () => ((await deliver(workflowRun())).status === 202 ? true : undefined));
  });

  test('no secret is logged, answered or kept, whatever happens', async () => {
    await open();
    const answers = [
      await deliver(workflowRun()),
      await deliver(workflowRun(), { 'x-hub-signature-256': `sha256=${SECRET}` }),
    ];
    answers.push(await deliver({ workflow_run: 7 }), await deliver('{'));
    await eventually(async () => ((await port.quarantined()).length === 2 ? true : undefined));
    const kept = (await port.quarantined()).map(
      ({ path }) => readFileSync(path, 'utf8') + readFileSync(`${path}.json`, 'utf8'),
    );
    const text = JSON.stringify([port.log.lines, answers, kept, port.doors.ledger.totals()]);
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(signatureOf(SECRET, JSON.stringify(workflowRun())).slice('sha256='.length));
  });
});

describe('what is refused', () => {
  test.each<[string, unknown, HeaderEdits, number, string]>([
    ['no JSON', '{ "workflow_run": ', {}, 400, 'the body is not JSON'],
    ['an empty body', '', {}, 400, 'the body is not JSON'],
    ['no UTF-8', '"\u00ff"', { 'content-type': 'application/json' }, 422, 'the body must be a JSON object'],
    [
      'a wrong type',
      { ...workflowRun(), workflow_run: { id: '7' } },
      {},
      422,
      'workflow_run.id must be a whole number',
    ],
    ['a missing field', workflowJob(), {}, 422, 'X-GitHub-Event does not fit the body'],
    ['no event', workflowRun(), { 'x-github-event': undefined }, 400, 'X-GitHub-Event must be'],
    ['no delivery', workflowRun(), { 'x-github-delivery': undefined }, 400, 'X-GitHub-Delivery must be'],
    ['an endless delivery', workflowRun(), { 'x-github-delivery': 'x'.repeat(129) }, 400, 'X-GitHub-Delivery must be'],
    ['text', workflowRun(), { 'content-type': 'text/plain' }, 415, 'Content-Type must be application/json'],
    ['an encoding', workflowRun(), { 'content-encoding': 'gzip' }, 415, 'no Content-Encoding'],
  ])('%s names header or field and rule', async (_name, document, edits, status, message) => {
    await open();
    const answer = await deliver(document, edits);
    expect(answer.status).toBe(status);
    expect(answer.json.error?.message).toContain(message);
    expect(port.journal.stats().bodies).toBe(0);
  });

  test('bytes that are no UTF-8 are refused as such', async () => {
    await open();
    const body = Buffer.from([0x22, 0xff, 0x22]);
    const response = await fetch(`${port.url}/hooks/github`, { method: 'POST', body, headers: headersOf(body, {}) });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('the body is not UTF-8');
  });

  test('what is rejected is counted and kept with its reason, without the people in it', async () => {
    await open();
    const run = workflowRun();
    await deliver({
      ...run,
      workflow_run: { ...(run['workflow_run'] as object), run_attempt: 'second', actor: PERSON },
    });
    await deliver(`{"email": "${PERSON.email}", broken`);
    const entries = await eventually(async () => {
      const found = await port.quarantined();
      return found.length === 2 ? found : undefined;
    });
    expect(entries.map(({ reason, signal }) => [reason, signal]).toSorted()).toEqual([
      ['events rejected: the body is not JSON 1', 'hook_github'],
      ['events rejected: workflow_run.run_attempt must be a whole number from 1 to 4294967295 1', 'hook_github'],
    ]);
    const kept = entries.map(({ path }) => readFileSync(path, 'utf8')).join('\n');
    expect(kept).toContain('"run_attempt":"second"');
    expect(kept).toContain('broken');
    expect(kept).not.toContain(PERSON.email);
    expect(kept).not.toContain(PERSON.login);
    expect(counts()).toEqual({ 'workflow_run bad_event': 1, 'workflow_run bad_request': 1 });
  });

  test('a label is never what a stranger wrote', async () => {
    await open();
    for (let i = 0; i < 5; i++)
      await deliver(workflowRun(), {
        'x-github-event': `made-up-${i}`,
        'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
      });
    expect(counts()).toEqual({ 'other bad_signature': 5 });
    expect(port.log.lines.filter(({ message }) => message === 'delivery refused')).toHaveLength(1);
  });

  test('a body over 25 MiB is refused, one under it is taken', async () => {
    await open();
    const padded = (bytes: number): string => {
      const text = JSON.stringify({ ...workflowRun(), padding: '' });
      return JSON.stringify({ ...workflowRun(), padding: 'x'.repeat(bytes - text.length) });
    };
    expect((await deliver(padded(25 * 1024 * 1024))).status).toBe(202);
    const large = await deliver(padded(25 * 1024 * 1024 + 1)).catch((error: unknown) => error);
    // The answer comes while the body is still being sent; the sender may see the closed connection instead.
    expect(large instanceof Error || (large as Answer).status === 413).toBe(true);
    expect(counts()).toEqual({ 'workflow_run stored': 1, 'workflow_run body_too_large': 1 });
  });

  test('strangers cannot fill the memory with announced bodies', async () => {
    await open();
    const headers = { ...headersOf(randomBytes(32), {}), 'content-length': String(25 * 1024 * 1024) };
    const held = Array.from({ length: 8 }, () => {
      const outgoing = httpRequest(`${port.url}/hooks/github`, { method: 'POST', headers });
      outgoing.on('error', () => {}).write('x');
      return outgoing;
    });
    const busy = await eventually(async () => {
      const answer = await deliver(workflowRun());
      return answer.status === 202 ? undefined : answer;
    });
    expect(busy).toMatchObject({ status: 429, json: { error: { code: 'too_busy' } } });
    expect(busy.headers.get('retry-after')).toBe('1');
    for (const each of held) each.destroy();
    await eventually(async () => ((await deliver(workflowRun())).status === 202 ? true : undefined));
  });

  test('gzip that is called identity is refused like any other broken body', async () => {
    await open();
    const body = gzipSync(JSON.stringify(workflowRun()));
    const response = await fetch(`${port.url}/hooks/github`, { method: 'POST', body, headers: headersOf(body, {}) });
    expect(response.status).toBe(400);
  });
});

describe('deliveries that come again', () => {
  test('the same delivery is acked and not stored again', async () => {
    await open();
    const id = { 'x-github-delivery': 'c0ffee00-cc78-11e3-81ab-4c9367dc0958' };
    expect(await deliver(workflowRun(), id)).toMatchObject({ status: 202, json: { duplicate: false } });
    expect(await deliver(workflowRun(), id)).toMatchObject({ status: 200, json: { duplicate: true } });
    expect(await port.rows('ci_runs')).toHaveLength(1);
    expect(counts()).toEqual({ 'workflow_run stored': 1, 'workflow_run duplicate': 1 });
  });

  test('at the same time too', async () => {
    await open();
    const id = { 'x-github-delivery': 'c0ffee00-cc78-11e3-81ab-4c9367dc0958' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(workflowRun(), id)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array<number>(19).fill(200), 202]);
    expect(await port.rows('ci_runs')).toHaveLength(1);
  });

  test('one id with two bodies is two deliveries: the id is not signed', async () => {
    await open();
    const id = { 'x-github-delivery': 'c0ffee00-cc78-11e3-81ab-4c9367dc0958' };
    expect((await deliver(workflowRun({ id: 1 }), id)).status).toBe(202);
    expect((await deliver(workflowRun({ id: 2 }), id)).status).toBe(202);
    expect(await port.rows('ci_runs')).toHaveLength(2);
  });

  test('one that could not be made durable is refused with a time to come back, and taken then', async () => {
    await open({ maxBacklogBytes: 8 });
    const id = { 'x-github-delivery': 'c0ffee00-cc78-11e3-81ab-4c9367dc0958' };
    for (const _ of [1, 2]) {
      const answer = await deliver(workflowRun(), id);
      expect(answer).toMatchObject({ status: 503, json: { error: { code: 'journal_full' } } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(counts()).toEqual({ 'workflow_run journal_full': 2 });
  });
});
