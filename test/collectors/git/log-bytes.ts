/** Builds the bytes of a `git log` as the decoder takes them, piece by piece. */

export interface LogFile {
  /** `M`, `R087`, … */
  status: string;
  path: string | Buffer;
  oldPath?: string | Buffer;
  /** `12\t3`, `-\t-` for a binary file; undefined leaves the entry out. */
  figures?: string | undefined;
}

export interface LogCommit {
  sha: string;
  parents?: string[];
  author?: [name: string | Buffer, email: string, date: string];
  committer?: [name: string | Buffer, email: string, date: string];
  trailers?: (string | Buffer)[];
  files?: LogFile[];
}

const BLOB = '0'.repeat(40);

/** A hash that is made of one number. */
export function shaOf(number: number): string {
  return number.toString(16).padStart(40, '0');
}

export function logBytes(commits: readonly LogCommit[]): Buffer {
  return Buffer.concat(commits.map(commitBytes));
}

function commitBytes({ sha, parents = [], author, committer, trailers = [], files = [] }: LogCommit): Buffer {
  const parts: Buffer[] = [];
  const piece = (value: string | Buffer): void => void parts.push(Buffer.from(value), Buffer.from([0]));
  piece(sha);
  piece(parents.join(' '));
  for (const who of [author, committer]) {
    const [name, email, date] = who ?? ['Ada', 'ada@example.com', '1700000000 +0000'];
    piece(name);
    piece(email);
    piece(date);
  }
  if (trailers.length === 0) piece('');
  for (const trailer of trailers) piece(trailer);
  piece('-');
  for (const [index, { status, path, oldPath }] of files.entries()) {
    piece(`${index === 0 ? '\n' : ''}:100644 100644 ${BLOB} ${BLOB} ${status}`);
    if (oldPath !== undefined) piece(oldPath);
    piece(path);
  }
  for (const { path, oldPath, figures } of files) {
    if (figures === undefined) continue;
    if (oldPath === undefined) piece(Buffer.concat([Buffer.from(`${figures}\t`), Buffer.from(path)]));
    else {
      piece(`${figures}\t`);
      piece(oldPath);
      piece(path);
    }
  }
  return Buffer.concat(parts);
}
