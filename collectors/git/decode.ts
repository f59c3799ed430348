/**
 * Decodes the stream of one `git log` (command.ts has its arguments): chunks of bytes in, commits and rejects out. Never throws.
 *
 * Whatever is in a message, a name or a path was chosen by whoever wrote the commit, so nothing but NUL, which no commit and no
 * tree can hold, separates anything here, and every piece is known by its place, never by its looks: eight header fields, the
 * trailers (each begins with its key, so none can be the `-` behind them), then raw entries and numstat entries, whose paths are
 * counted off. Between commits, the only place where looks decide, stands a full hash, a raw entry (`:`) or figures with a tab.
 */
import type { Person } from '../../core/people.ts';
import { figure, isHash, known } from './pieces.ts';
import { decodePath, decodeText } from './text.ts';
import { type GitTime, parseTime } from './time.ts';

/** `--format` of the log that is decoded here. */
export const LOG_FORMAT =
  '%H%x00%P%x00%aN%x00%aE%x00%ad%x00%cN%x00%cE%x00%cd%x00' +
  '%(trailers:key=Co-authored-by,key=Assisted-by,unfold,separator=%x00)%x00-';

export interface DecodedFile {
  path: string;
  /** Of a rename or copy, '' otherwise. */
  oldPath: string;
  /** A, M, D, R, C or T. */
  status: string;
  /** Lines; null for a binary file. */
  additions: number | null;
  deletions: number | null;
}

export interface DecodedCommit {
  sha: string;
  parents: string[];
  /** After .mailmap; empty where the commit's own line is broken. */
  author: Person;
  committer: Person;
  authorTime: GitTime;
  commitTime: GitTime;
  /** Values of the trailers, before .mailmap. */
  coAuthors: string[];
  assistedBy: string[];
  files: DecodedFile[];
}

/** A commit that is not decoded, and the rule it breaks. `sha` is '' where the stream itself is broken; nothing follows then. */
export interface GitReject {
  sha: string;
  rule: string;
}

export interface Decoded {
  commits: DecodedCommit[];
  rejects: GitReject[];
}

export interface GitDecoder {
  /** Takes the next bytes; they may be reused afterwards. */
  push(chunk: Uint8Array): Decoded;
  /** Gives what is left, once git has ended well: a stream that was cut off between two entries cannot be told from a whole one. */
  end(): Decoded;
}

/** Longer paths cannot be checked out anywhere. */
const PATH_BYTES_MAX = 16_384;
/** Longer names and addresses are cut, longer trailers ignored: they are no one's. */
const TEXT_BYTES_MAX = 1024;

const LF = 0x0a;
const TAB = 0x09;
const COLON = 0x3a;
const DASH = 0x2d;

/** What the next piece is: a header field by its number, or one of these. */
const TRAILER = 8;
const ENTRY = 9;
const RAW_PATH = 10;
const RAW_NEW_PATH = 11;
const STAT_OLD_PATH = 12;
const STAT_NEW_PATH = 13;

export function createGitDecoder(): GitDecoder {
  return new LogDecoder();
}

class LogDecoder implements GitDecoder {
  #expects = ENTRY;
  #commit: DecodedCommit | undefined;
  /** Times as printed, read once both are there. */
  #authorTime = '';
  /** Why the current commit will be rejected, '' where it will not. */
  #rule = '';
  #file: DecodedFile = emptyFile();
  /** The first file without figures. */
  #unmeasured = 0;
  #stat: { additions: number | null; deletions: number | null } = { additions: null, deletions: null };
  /** Beginning of a piece whose end has not come yet. */
  #parts: Buffer[] = [];
  #offset = 0;
  #isBroken = false;
  #out: Decoded = { commits: [], rejects: [] };

  push(chunk: Uint8Array): Decoded {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let nul = bytes.indexOf(0); nul !== -1 && !this.#isBroken; nul = bytes.indexOf(0, start)) {
      if (this.#parts.length > 0) {
        const piece = Buffer.concat([...this.#parts, bytes.subarray(0, nul)]);
        this.#parts = [];
        this.#take(piece, 0, piece.length);
      } else this.#take(bytes, start, nul);
      start = nul + 1;
    }
    if (start < bytes.length && !this.#isBroken) this.#parts.push(Buffer.from(bytes.subarray(start)));
    this.#offset += bytes.length;
    return this.#give();
  }

  end(): Decoded {
    if (!this.#isBroken) {
      const isCutOff = this.#parts.length > 0 || this.#expects !== ENTRY;
      if (isCutOff && this.#commit === undefined) this.#break('a commit begins with its full hash');
      else if (isCutOff) this.#rule = 'the stream ends inside of it';
      this.#finish();
    }
    this.#isBroken = true;
    return this.#give();
  }

  #give(): Decoded {
    const out = this.#out;
    this.#out = { commits: [], rejects: [] };
    return out;
  }

  /** One piece, without its NUL. */
  #take(bytes: Buffer, start: number, end: number): void {
    if (this.#expects < TRAILER) return this.#header(bytes, start, end);
    switch (this.#expects) {
      case TRAILER:
        return this.#trailer(bytes, start, end);
      case RAW_PATH:
        this.#file.path = this.#path(bytes, start, end);
        if (this.#file.status === 'R' || this.#file.status === 'C') this.#expects = RAW_NEW_PATH;
        else this.#keepFile();
        return;
      case RAW_NEW_PATH:
        this.#file.oldPath = this.#file.path;
        this.#file.path = this.#path(bytes, start, end);
        return this.#keepFile();
      case STAT_OLD_PATH:
        this.#expects = STAT_NEW_PATH;
        return;
      case STAT_NEW_PATH:
        this.#expects = ENTRY;
        return this.#measure(this.#path(bytes, start, end));
      default:
        return this.#entry(bytes, start, end);
    }
  }

  /** The places where a commit, a raw entry or a numstat entry may begin. */
  #entry(bytes: Buffer, start: number, end: number): void {
    if (isHash(bytes, start, end)) {
      this.#finish();
      this.#commit = emptyCommit(bytes.toString('latin1', start, end));
      this.#expects = 1;
      return;
    }
    const at = bytes[start] === LF ? start + 1 : start; // stands between header and entries
    if (this.#commit === undefined) this.#break('a commit begins with its full hash');
    else if (bytes[at] === COLON) this.#raw(bytes, at, end);
    else this.#numstat(bytes, at, end);
  }

  #header(bytes: Buffer, start: number, end: number): void {
    const commit = this.#commit;
    if (commit === undefined) return this.#break('a header has a commit');
    const text = decodeText(bytes, start, Math.min(end, start + TEXT_BYTES_MAX));
    switch (this.#expects) {
      case 1:
        // Not cut: an octopus has as many parents as it likes.
        commit.parents = end === start ? [] : bytes.toString('latin1', start, end).split(' ');
        break;
      case 2:
        commit.author.name = known(text, '%aN');
        break;
      case 3:
        commit.author.email = known(text, '%aE');
        break;
      case 4:
        this.#authorTime = text;
        break;
      case 5:
        commit.committer.name = known(text, '%cN');
        break;
      case 6:
        commit.committer.email = known(text, '%cE');
        break;
      default:
        setTimes(commit, this.#authorTime, text);
    }
    this.#expects += 1;
  }

  #trailer(bytes: Buffer, start: number, end: number): void {
    if (end - start === 1 && bytes[start] === DASH) {
      this.#expects = ENTRY;
      return;
    }
    if (end - start > TEXT_BYTES_MAX) return;
    const text = decodeText(bytes, start, end);
    const colon = text.indexOf(':');
    const value = text.slice(colon + 1).trim();
    if (colon === -1 || value === '') return;
    const key = text.slice(0, colon).trim().toLowerCase();
    if (key === 'co-authored-by') this.#commit?.coAuthors.push(value);
    else this.#commit?.assistedBy.push(value);
  }

  /** `:100644 100644 <blob> <blob> R087` */
  #raw(bytes: Buffer, start: number, end: number): void {
    const space = bytes.lastIndexOf(0x20, end - 1);
    if (space <= start || space === end - 1) return this.#break('a raw entry ends in its status');
    this.#file = emptyFile();
    this.#file.status = String.fromCharCode(bytes[space + 1] ?? 0);
    this.#expects = RAW_PATH;
  }

  /** `12<TAB>3<TAB>path`, or without the path where two follow. */
  #numstat(bytes: Buffer, start: number, end: number): void {
    const tab = bytes.indexOf(TAB, start);
    const second = tab === -1 ? -1 : bytes.indexOf(TAB, tab + 1);
    if (tab === -1 || second === -1 || second >= end) return this.#break('an entry has figures and a path');
    const additions = figure(bytes, start, tab);
    const deletions = figure(bytes, tab + 1, second);
    if (additions === undefined || deletions === undefined) return this.#break('a figure is a number or a dash');
    this.#stat = { additions, deletions };
    if (second + 1 === end) this.#expects = STAT_OLD_PATH;
    else this.#measure(this.#path(bytes, second + 1, end));
  }

  #path(bytes: Buffer, start: number, end: number): string {
    if (end - start <= PATH_BYTES_MAX) return decodePath(bytes, start, end);
    this.#rule = `a path is longer than ${PATH_BYTES_MAX} bytes`;
    return '';
  }

  #keepFile(): void {
    this.#commit?.files.push(this.#file);
    this.#expects = ENTRY;
  }

  /** Numstat goes through the files in the order of the raw entries. */
  #measure(path: string): void {
    const file = this.#commit?.files[this.#unmeasured];
    if (file?.path !== path) {
      if (this.#rule === '') this.#rule = 'raw and numstat name different files';
      return;
    }
    file.additions = this.#stat.additions;
    file.deletions = this.#stat.deletions;
    this.#unmeasured += 1;
  }

  #finish(): void {
    const commit = this.#commit;
    if (commit === undefined) return;
    if (this.#rule === '' && this.#unmeasured !== commit.files.length) this.#rule = 'a file has no figures';
    if (this.#rule === '') this.#out.commits.push(commit);
    else this.#out.rejects.push({ sha: commit.sha, rule: this.#rule });
    this.#commit = undefined;
    this.#rule = '';
    this.#unmeasured = 0;
  }

  /** Where the place of a piece is lost, whatever follows could be forged. */
  #break(rule: string): void {
    if (this.#commit !== undefined) {
      if (this.#rule === '') this.#rule = rule;
      this.#finish();
    }
    this.#out.rejects.push({ sha: '', rule: `${rule} (around byte ${this.#offset} of the stream)` });
    this.#isBroken = true;
    this.#parts = [];
  }
}

function emptyFile(): DecodedFile {
  return { path: '', oldPath: '', status: '', additions: null, deletions: null };
}

function emptyCommit(sha: string): DecodedCommit {
  return {
    sha,
    parents: [],
    author: { name: '', email: '' },
    committer: { name: '', email: '' },
    authorTime: { seconds: 0, offsetMin: 0 },
    commitTime: { seconds: 0, offsetMin: 0 },
    coAuthors: [],
    assistedBy: [],
    files: [],
  };
}

/** A time that cannot be read is taken from the other one; where neither can, it is 1970, as it is for git itself. */
function setTimes(commit: DecodedCommit, author: string, committer: string): void {
  const authorTime = parseTime(author);
  const commitTime = parseTime(committer);
  const unknown: GitTime = { seconds: 0, offsetMin: 0 };
  commit.authorTime = authorTime ?? commitTime ?? unknown;
  commit.commitTime = commitTime ?? authorTime ?? unknown;
}
