import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { decodeProfile } from '../../../collectors/pprof/decode.ts';
import { assetPath } from '../../../core/paths.ts';
import { readCases } from '../../support/cases.ts';
import { peerTest } from '../../support/peers.ts';

const PROGRAM = assetPath('test/peers/pprof');

interface Description {
  error?: string;
  sampleTypes?: string[];
  stacks?: Record<string, string[]>;
}

/** What google/pprof makes of each file; the first run downloads and builds it. */
function askPeer(...args: string[]): Description[] {
  const run = spawnSync('go', ['run', '.', ...args], { cwd: PROGRAM, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`go run failed: ${run.stderr}`);
  return run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Description);
}

function ownDescription(bytes: Buffer): Description {
  const profile = decodeProfile(bytes);
  if (!profile.ok) return { error: profile.rule };
  const stacks = [...profile.stacks.keys()].map((number) => [
    profile.frames(number).functions.join(';'),
    profile.sampleTypes.map((_, type) => String(profile.value(number, type))),
  ]);
  return {
    sampleTypes: profile.sampleTypes.map(({ type, unit }) => `${type}/${unit}`),
    stacks: Object.fromEntries(stacks) as Record<string, string[]>,
  };
}

let dir: string;
const inDir = (run: () => void) => async (): Promise<void> => {
  dir = mkdtempSync(join(tmpdir(), 'heliograph-pprof-'));
  try {
    run();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

peerTest(
  'go',
  'profiles of a Go program, with thousands of stacks too, read as google/pprof reads them',
  inDir(() => {
    askPeer('make', dir);
    const files = readdirSync(dir).map((name) => join(dir, name));
    expect(files).toHaveLength(6);
    for (const [index, answer] of askPeer('describe', ...files).entries()) {
      const bytes = readFileSync(files[index] ?? '');
      expect(Object.keys(answer.stacks ?? {}).length).toBeGreaterThan(0);
      expect(ownDescription(bytes)).toEqual(answer);
    }
  }),
);

/** Cases in which we are stricter or laxer than google/pprof, and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  unsymbolised: 'it refuses a line without a function; we name the file it lies in',
  'sum-overflow': 'it sums nothing; our peer lets the sum wrap around',
  'total-overflow': 'it sums nothing',
  'unknown-mapping': 'it forgets that a location named one',
  text: 'it reads the old text form, which is never asked for',
  'field-zero': 'it takes a field that protobuf does not allow',
  'varint-long': 'it drops the bits that do not fit',
};

peerTest(
  'go',
  'every case is taken or refused as google/pprof takes or refuses it',
  inDir(() => {
    const cases = readCases('test/collectors/pprof/cases').filter(({ name }) => DIFFERENCES[name] === undefined);
    const files = cases.map(({ name, input }) => {
      if (input.format !== 'hex') throw new Error('a profile is bytes');
      writeFileSync(join(dir, name), input.bytes);
      return { name, bytes: input.bytes };
    });
    const answers = askPeer('describe', ...files.map(({ name }) => join(dir, name)));
    for (const [index, { name, bytes }] of files.entries()) {
      const [own, peer] = [ownDescription(bytes), answers[index] ?? {}];
      if (own.error === undefined || peer.error === undefined) expect([name, own]).toEqual([name, peer]);
    }
  }),
);
