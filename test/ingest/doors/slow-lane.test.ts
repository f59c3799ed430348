import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { flattenTraces } from '../../../collectors/otlp/flatten.ts';
import { builtPath } from '../../../core/paths.ts';
import { BODY_MAX_BYTES } from '../../../ingest/doors/body.ts';
import { createSlowLane } from '../../../ingest/doors/slow-lane.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';

const dir = mkdtempSync(join(tmpdir(), 'heliograph-slow-lane-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const nested = encodeRequest({
  resourceSpans: [
    {
      scopeSpans: [
        { spans: [{ name: 'x', attributes: [{ key: 'l', value: { arrayValue: { values: [{ intValue: 7 }] } } }] }] },
      ],
    },
  ],
});

test('the worker gives what the rewriter gives, many at once, and leaves the caller its bytes', async () => {
  const lane = createSlowLane(builtPath('app/workers/slow-lane.ts'), memoryLog());
  const before = Buffer.from(nested);
  const results = await Promise.all(Array.from({ length: 20 }, () => lane.rewrite('otlp_traces', 'protobuf', nested)));
  for (const bytes of results) expect(Buffer.from(bytes)).toEqual(Buffer.from(flattenTraces(nested, BODY_MAX_BYTES)));
  expect(nested).toEqual(before);
  await lane.stop();
});

test('what the rewriter refuses comes back with its code', async () => {
  const lane = createSlowLane(builtPath('app/workers/slow-lane.ts'), memoryLog());
  await expect(lane.rewrite('otlp_traces', 'protobuf', nested.subarray(0, -1))).rejects.toMatchObject({
    code: 'bad_framing',
  });
  await expect(lane.rewrite('unknown', 'protobuf', nested)).rejects.toMatchObject({ code: 'internal' });
  await lane.stop();
});

test('the sixty-fifth body in line is told to come back', async () => {
  const lane = createSlowLane(builtPath('app/workers/slow-lane.ts'), memoryLog());
  const all = await Promise.allSettled(
    Array.from({ length: 70 }, () => lane.rewrite('otlp_traces', 'protobuf', nested)),
  );
  const refused = all.filter((one) => one.status === 'rejected');
  expect(refused).toHaveLength(6);
  for (const one of refused) expect(one.reason).toMatchObject({ code: 'too_busy', retryAfterSeconds: 1 });
  expect(lane.waiting()).toBe(0);
  await lane.stop();
});

test('a worker that dies fails the bodies it held and is replaced', async () => {
  const path = join(dir, 'dies-once.mjs');
  const marker = join(dir, 'died');
  writeFileSync(
    path,
    `import { existsSync, writeFileSync } from 'node:fs';
     import { parentPort } from 'node:worker_threads';
     parentPort.on('message', ({ id, bytes }) => {
       if (existsSync(${JSON.stringify(marker)})) return parentPort.postMessage({ id, bytes });
       writeFileSync(${JSON.stringify(marker)}, '');
       process.exit(3);
     });`,
  );
  const log = memoryLog();
  const lane = createSlowLane(path, log);
  await expect(lane.rewrite('otlp_traces', 'protobuf', nested)).rejects.toMatchObject({ code: 'internal' });
  expect(Buffer.from(await lane.rewrite('otlp_traces', 'protobuf', nested))).toEqual(nested);
  expect(log.lines.map((line) => line.message)).toContain('slow lane worker lost');
  await lane.stop();
});
