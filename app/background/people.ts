/** Opens the pseudonyms for the jobs that meet people, once the key is proved to be the one the stored rows were made with. */
import { randomBytes } from 'node:crypto';
import { HeliographError } from '../../core/errors.ts';
import { createPeople, KEY_CHECK, type People } from '../../core/people.ts';
import { readPeopleKey } from '../people-key.ts';
import type { BackgroundDeps } from './deps.ts';

/** Gives the pseudonyms; the first call that succeeds reads and proves the key. Throws `bad_config` naming file and rule. */
export type OpenPeople = () => Promise<People>;

export function createPeopleOpener(deps: Pick<BackgroundDeps, 'config' | 'store' | 'rows' | 'clock'>): OpenPeople {
  let opened: Promise<People> | undefined;
  return () => {
    opened ??= openPeople(deps).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

async function openPeople({ config, store, rows, clock }: Parameters<typeof createPeopleOpener>[0]): Promise<People> {
  const key = await readPeopleKey(config.people.keyFile, config.dataDir);
  const people = createPeople(key, randomBytes);
  const { rows: found } = await store.query({
    sql: 'SELECT pseudonym, sealed FROM people.identities FINAL ORDER BY pseudonym = {check:String} DESC LIMIT 1',
    params: { check: KEY_CHECK },
  });
  const [pseudonym, sealed] = found[0] ?? [];
  if (pseudonym === undefined) {
    const check = { pseudonym: KEY_CHECK, sealed: people.seal(KEY_CHECK, { name: '', email: '' }) };
    await rows.append('identities', [{ ...check, last_seen_ms: clock.nowMs() }]);
  } else if (people.open(String(pseudonym), String(sealed)) === undefined) {
    throw new HeliographError(
      'bad_config',
      'people.keyFile: is not the key that the stored pseudonyms were made with, so nothing about people is collected; put the old key back, or empty people.identities, heliograph.commits, heliograph.commit_files and heliograph.git_tips to begin anew',
    );
  }
  return people;
}
