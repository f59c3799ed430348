import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { flattenTraces } from '../../../collectors/otlp/flatten.ts';
import { assetPath } from '../../../core/paths.ts';
import { readCases } from '../../support/cases.ts';
import { decodeFlat } from '../../support/otlp-decode.ts';
import { encodeRequest, type RequestInput } from '../../support/otlp-encode.ts';
import { bodyWithAttribute, readValueCases } from './any-value-table.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const PROGRAM = assetPath('test/peers/anyvalue');

type PeerAnswer = { key: string; text: string }[] | { error: string };

const hasGo = spawnSync('go', ['version']).status === 0;
if (!hasGo && process.env['CI'] === 'true') throw new Error('go is not on PATH: the Collector cannot be asked');
if (!hasGo) console.warn('SKIPPED: go is not on PATH, so attribute texts are not compared with the Collector');
const peerTest = hasGo ? test : test.skip;

/** What the Collector makes of each body; the first run downloads and builds it. */
function askCollector(bodies: readonly Buffer[]): PeerAnswer[] {
  const input = bodies.map((body) => `${body.toString('hex')}\n`).join('');
  const run = spawnSync('go', ['run', '.'], { cwd: PROGRAM, input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`go run failed: ${run.stderr}`);
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as PeerAnswer);
}

function ownAnswer(body: Buffer): PeerAnswer {
  const base64 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('base64');
  const answer: { key: string; text: string }[] = [];
  const add = (attributes: [string, string][]): void => {
    for (const [key, text] of attributes) answer.push({ key: base64(key), text: base64(text) });
  };
  let resource: [string, string][] = [];
  for (const span of decodeFlat(flattenTraces(body, MAX_BYTES))) {
    if (span.resource !== resource) add(span.resource);
    resource = span.resource;
    add(span.attributes);
    for (const event of span.events) add(event.attributes);
    for (const link of span.links) add(link.attributes);
  }
  return answer;
}

peerTest(
  'every value of the table, and of the cases, reads as the Collector reads it',
  () => {
    const table = readValueCases();
    const requests = readCases('test/collectors/otlp/cases').flatMap(({ name, input }) =>
      input.format === 'json' ? [{ name, body: encodeRequest(input.value as RequestInput) }] : [],
    );
    const bodies = [...table.map(({ value }) => bodyWithAttribute(value)), ...requests.map(({ body }) => body)];
    const answers = askCollector(bodies);
    expect(answers.length).toBe(bodies.length);
    for (const [i, { name, text }] of table.entries()) {
      expect([name, answers[i]]).toEqual([name, [{ key: 'aw==', text: text.toString('base64') }]]);
    }
    let compared = 0;
    for (const [i, { name, body }] of requests.entries()) {
      const answer = answers[table.length + i];
      // The Collector refuses a whole body for one id of a wrong length; here its neighbours survive.
      if (answer === undefined || 'error' in answer) continue;
      expect([name, ownAnswer(body)]).toEqual([name, answer]);
      compared += answer.length;
    }
    expect(compared).toBeGreaterThan(0);
  },
  300_000,
);
