import { afterAll, beforeAll, expect, test } from 'vitest';
import attacks from './attacks.json' with { type: 'json' };
import { CANARY, type FaceServer, startFaceServer } from './face-server.ts';
import { createMutations } from './mutations.ts';
import passing from './passing.json' with { type: 'json' };

/** `FACE_MUTATIONS=100000 FACE_SEED=2 npx vitest run test/store/face/mutations` runs more, or others. */
const COUNT = Number(process.env['FACE_MUTATIONS'] ?? 10_000);
const SEED = Number(process.env['FACE_SEED'] ?? 1);
const AT_ONCE = 4;

let server: FaceServer;
beforeAll(async () => {
  server = await startFaceServer();
});
afterAll(() => server.stop());

test(`${COUNT} mutations of the attacks: nothing hidden comes out, nothing is changed, nothing is written`, async () => {
  const mutations = createMutations(
    attacks.map(({ sql }) => sql),
    passing.map(({ sql }) => sql),
    SEED,
  );
  const before = await server.traces();
  const startedMs = performance.now();
  const codes = new Map<number, number>();
  const broken: unknown[] = [];
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < COUNT) {
      const { sql, from } = mutations.at(next++);
      const answer = await server.ask(sql, {
        param_t: 'heliograph.canary',
        max_execution_time: '1',
        max_result_rows: '2000',
      });
      codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1);
      // Refused in front of the engine, or by it; the engine itself never fails.
      if (answer.text.includes(CANARY) || [210, 236, 1002].includes(answer.code)) broken.push({ sql, from, answer });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  const tally = [...codes].toSorted((a, b) => b[1] - a[1]);
  console.info(`${COUNT} mutations in ${Math.round(performance.now() - startedMs)} ms; by code: ${tally.join(' ')}`);
  expect(broken).toEqual([]);
  expect(await server.traces()).toEqual(before);
  // Most die in front of the engine, and some still live: a gate that refuses everything would prove nothing.
  expect(codes.get(0)).toBeGreaterThan(COUNT / 100);
  expect((codes.get(497) ?? 0) + (codes.get(62) ?? 0)).toBeGreaterThan(COUNT / 2);
}, 600_000);
