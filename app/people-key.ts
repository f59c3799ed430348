/** The key of pseudonyms and of the identity map: a file of random bytes that only this user may read. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HeliographError } from '../core/errors.ts';
import { KEY_BYTES_MIN } from '../core/people.ts';

const KEY_BYTES = 32;
const FILE_BYTES_MAX = 4096;

/**
 * Reads the key; makes `people.key` in the data directory where no file is configured and none is there. A configured file that
 * is missing is refused: with a new key everybody would be somebody else. Throws `bad_config` naming file and rule.
 */
export async function readPeopleKey(configured: string | undefined, dataDir: string): Promise<Uint8Array> {
  const path = configured ?? join(dataDir, 'people.key');
  const refused = (rule: string): HeliographError =>
    new HeliographError('bad_config', `people.keyFile: ${path} ${rule}`);
  try {
    const { mode, size } = await stat(path);
    if ((mode & 0o007) !== 0) throw refused('can be read by others; chmod o= takes that away');
    if (size > FILE_BYTES_MAX) throw refused(`is longer than ${FILE_BYTES_MAX} bytes`);
    const key = await readFile(path);
    if (key.byteLength < KEY_BYTES_MIN) throw refused(`is shorter than ${KEY_BYTES_MIN} bytes`);
    return key;
  } catch (error) {
    if (error instanceof HeliographError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code !== 'ENOENT') throw refused(`cannot be read (${code})`);
    if (configured !== undefined) throw refused('is not there');
  }
  await makeKey(path);
  return readPeopleKey(path, dataDir);
}

/** The file appears whole or not at all; of two makers one wins, and both read what it made. */
async function makeKey(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(KEY_BYTES));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
