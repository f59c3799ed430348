import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { expect, test } from 'vitest';
import { countGc } from '../../../app/profiling/gc.ts';
import { eventually } from '../../support/heliograph-process.ts';

test('every collection is counted by kind, several in one turn of the event loop too', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const totals = countGc();
  for (let i = 0; i < 5; i++) collect();
  await eventually(async () => (totals().major >= 5 ? true : undefined));
  expect(totals().seconds).toBeGreaterThan(0);
});
