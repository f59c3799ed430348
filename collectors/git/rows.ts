/** Decoded commits become rows: people become pseudonyms, messages are gone, bots and agents are told apart. */
import type { People, Person } from '../../core/people.ts';
import type { CommitFileRow, CommitRow } from '../../core/rows.ts';
import { botRule, isAgent, namesAgent } from './bots.ts';
import type { DecodedCommit } from './decode.ts';

/** What all rows of one collection share. */
export interface RowContext {
  repository: string;
  /** When it is collected, Unix ms. */
  versionMs: number;
  /** Whether these commits are no longer reachable. */
  gone: boolean;
  people: People;
}

export interface CommitRows {
  commits: CommitRow[];
  files: CommitFileRow[];
}

export interface RowMaker {
  /** `mailmap` gives what .mailmap makes of a contact (`Name <address>`). */
  make(commits: readonly DecodedCommit[], mailmap: ReadonlyMap<string, string>): CommitRows;
  /** Everybody met so far, by pseudonym, with the time of their latest commit in Unix seconds. */
  met(): ReadonlyMap<string, { person: Person; lastSeen: number }>;
}

/** The committer of merges and edits made on GitHub's pages. */
const WEB_FLOW = 'noreply@github.com';

interface Known {
  pseudonym: string;
  botRule: string;
  isAgent: boolean;
}

export function createRowMaker(context: RowContext): RowMaker {
  return new Maker(context);
}

/** A contact as trailers write it; undefined where there is no address. */
export function parseContact(value: string): Person | undefined {
  const match = /^([^<>]*)<([^<>]*)>/.exec(value);
  const email = match?.[2]?.trim() ?? '';
  return match === null || email === '' ? undefined : { name: (match[1] ?? '').trim(), email };
}

/** What is asked of `git check-mailmap`, which takes one contact a line. */
export function contactText({ name, email }: Person): string {
  return `${name} <${email}>`.trim();
}

class Maker implements RowMaker {
  readonly #context: RowContext;
  readonly #known = new Map<string, Known>();
  readonly #met = new Map<string, { person: Person; lastSeen: number }>();

  constructor(context: RowContext) {
    this.#context = context;
  }

  make(commits: readonly DecodedCommit[], mailmap: ReadonlyMap<string, string>): CommitRows {
    const rows: CommitRows = { commits: [], files: [] };
    for (const commit of commits) {
      rows.commits.push(this.#commit(commit, mailmap));
      for (const { path, oldPath, status, additions, deletions } of commit.files)
        rows.files.push({
          repository: this.#context.repository,
          sha: commit.sha,
          commit_time_s: commit.commitTime.seconds,
          path,
          old_path: oldPath,
          status,
          additions,
          deletions,
          version_ms: this.#context.versionMs,
        });
    }
    return rows;
  }

  met(): ReadonlyMap<string, { person: Person; lastSeen: number }> {
    return this.#met;
  }

  #commit(commit: DecodedCommit, mailmap: ReadonlyMap<string, string>): CommitRow {
    const { repository, versionMs, gone } = this.#context;
    const { author, committer, authorTime, commitTime, files } = commit;
    const at = commitTime.seconds;
    const by = this.#meet(author, at);
    const coAuthors = this.#coAuthors(commit.coAuthors, by.pseudonym, at, mailmap);
    const isMergeClick = committer.email.toLowerCase() === WEB_FLOW && authorTime.seconds === commitTime.seconds;
    return {
      repository,
      sha: commit.sha,
      parents: commit.parents,
      author: by.pseudonym,
      committer: this.#meet(committer, at).pseudonym,
      co_authors: coAuthors.people,
      bot_rule: by.botRule,
      agent_assisted: by.isAgent || coAuthors.agent || commit.assistedBy.some(namesAgent),
      author_time_s: authorTime.seconds,
      author_offset_min: authorTime.offsetMin,
      commit_time_s: at,
      commit_offset_min: commitTime.offsetMin,
      time_quality: isMergeClick ? 'merge_click' : 'author',
      ...totals(files),
      gone,
      version_ms: versionMs,
    };
  }

  /** The humans besides the author, each once, in the order of the trailers; and whether an agent is among the rest. */
  #coAuthors(values: readonly string[], author: string, at: number, mailmap: ReadonlyMap<string, string>) {
    const people: string[] = [];
    let agent = false;
    for (const value of values) {
      const written = parseContact(value);
      if (written === undefined) continue;
      const text = contactText(written);
      const known = this.#meet(parseContact(mailmap.get(text) ?? text) ?? written, at);
      agent ||= known.isAgent;
      if (known.botRule !== '' || known.pseudonym === author || people.includes(known.pseudonym)) continue;
      people.push(known.pseudonym);
    }
    return { people, agent };
  }

  #meet(person: Person, at: number): Known {
    const key = `${person.name}\n${person.email}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const pseudonym = this.#context.people.pseudonymOf(person);
      known = { pseudonym, botRule: botRule(person), isAgent: isAgent(person) };
      this.#known.set(key, known);
    }
    if (known.pseudonym === '') return known;
    const met = this.#met.get(known.pseudonym);
    if (met === undefined || at > met.lastSeen) this.#met.set(known.pseudonym, { person, lastSeen: at });
    return known;
  }
}

function totals(files: DecodedCommit['files']) {
  const sum = { additions: 0, deletions: 0, files: files.length, binary_files: 0, renames: 0 };
  for (const { status, additions, deletions } of files) {
    sum.additions += additions ?? 0;
    sum.deletions += deletions ?? 0;
    if (additions === null) sum.binary_files += 1;
    if (status === 'R') sum.renames += 1;
  }
  return sum;
}
