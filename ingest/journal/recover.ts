/**
 * The journal's start: every pair of files in the directory becomes a sealed segment again. One bad file never stops the
 * start, and running it twice changes nothing.
 */
import { readdir } from 'node:fs/promises';
import { type Pair, type RecoverDeps, readPair, recoverPair, removePair } from './recover-pair.ts';
import { survey } from './survey.ts';
import type { RecoveryReport, SealedSegment } from './types.ts';

/** Takes over what lies in the directory, oldest first. Throws only when the directory itself cannot be read. */
export async function recover(deps: RecoverDeps): Promise<{ sealed: SealedSegment[]; report: RecoveryReport }> {
  const report: RecoveryReport = { segments: 0, bodies: 0, bytesCut: 0, quarantined: 0, left: 0 };
  const sealed: SealedSegment[] = [];
  const each = async (act: (pair: Pair) => Promise<void>) => {
    for (const name of await segmentNames(deps.dir)) {
      await act({ ...deps, name, report }).catch((error: unknown) => {
        report.left++;
        deps.log.error(
          { err: error, segment: name },
          'a segment could not be recovered; it is left for the next start',
        );
      });
    }
  };
  await finishRemovals(deps);
  await each(finishMend);
  report.left = 0; // counted again by the round that decides
  await each(async (pair) => {
    const segment = await recoverPair(pair);
    if (segment !== null) sealed.push(segment);
  });
  sealed.sort((a, b) => a.openedMs - b.openedMs || (a.name < b.name ? -1 : 1));
  report.segments = sealed.length;
  report.bodies = sealed.reduce((sum, segment) => sum + segment.bodies, 0);
  return { sealed, report };
}

async function segmentNames(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).filter((file) => /\.(?:seg|idx)$/.test(file)).map((file) => file.slice(0, -4));
  return [...new Set(names)].toSorted();
}

/** Removals that a crash cut short: the rename had happened, so the segment was loaded. */
async function finishRemovals({ dir, files, log }: RecoverDeps): Promise<void> {
  for (const file of await readdir(dir)) {
    if (!file.endsWith('.gone')) continue;
    await removePair(files, dir, file.slice(0, -'.gone'.length)).catch((error: unknown) => {
      log.error({ err: error, file }, 'a loaded segment could not be deleted; it is left for the next start');
    });
  }
}

/** A crash between a mended copy and the end of its original: the copy stands when it is whole, else the original. */
async function finishMend(pair: Pair): Promise<void> {
  const { index, data } = await readPair(pair);
  const replaces = index?.header?.replaces;
  if (index?.header == null || replaces === undefined) return;
  const original = await readPair({ ...pair, name: replaces.name });
  if (original.index === null) return;
  const { bodies } = survey(index.bytes, index.recordsAt, index.seed, data ?? Buffer.alloc(0));
  await removePair(pair.files, pair.dir, bodies.length === replaces.bodies ? replaces.name : pair.name);
}
