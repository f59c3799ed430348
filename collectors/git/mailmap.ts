/** Co-authors stand in trailers, which git does not map: they are handed to `git check-mailmap`, each once. */
import { type GitStream, type GitTool, mailmapArguments, streamGit } from './command.ts';
import type { DecodedCommit } from './decode.ts';
import { GitProblem } from './problem.ts';
import { contactText, parseContact } from './rows.ts';

export interface Mailmap {
  /** Looks up whoever is named in the trailers of these commits; afterwards `mapped` knows them. */
  learn(commits: readonly DecodedCommit[]): Promise<void>;
  /** Contact as written -> as mapped. */
  readonly mapped: ReadonlyMap<string, string>;
  close(): void;
}

/** Starts git with the first co-author. `mailmapOf`: the commit whose .mailmap holds. */
export function createMailmap(tool: GitTool, gitDir: string, mailmapOf: string, signal: AbortSignal): Mailmap {
  const mapped = new Map<string, string>();
  let process: LineProcess | undefined;
  return {
    mapped,
    async learn(commits) {
      const asked = new Set<string>();
      for (const { coAuthors } of commits)
        for (const value of coAuthors) {
          const person = parseContact(value);
          if (person === undefined) continue;
          const text = contactText(person);
          if (!mapped.has(text)) asked.add(text);
        }
      if (asked.size === 0) return;
      process ??= new LineProcess(streamGit(tool, gitDir, mailmapArguments(mailmapOf), signal, 'each answer'));
      const answers = await process.ask([...asked]);
      let index = 0;
      for (const text of asked) mapped.set(text, answers[index++] ?? text);
    },
    close: () => process?.close(),
  };
}

/** A process that answers every line with a line. */
class LineProcess {
  readonly #stream: GitStream;
  #text = '';
  #wanted = 0;
  #lines: string[] = [];
  #answer: (lines: string[]) => void = () => {};

  constructor(stream: GitStream) {
    this.#stream = stream;
    stream.child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  async ask(lines: readonly string[]): Promise<string[]> {
    this.#wanted = lines.length;
    const answered = new Promise<string[]>((resolve) => (this.#answer = resolve));
    this.#stream.child.stdin.write(lines.map((line) => `${line}\n`).join(''));
    const ended = this.#stream.done.then(() => {
      throw new GitProblem('git check-mailmap ended before it had answered');
    });
    return Promise.race([answered, ended]);
  }

  close(): void {
    this.#stream.child.stdin.end();
  }

  #read(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    this.#lines.push(...lines);
    if (this.#lines.length < this.#wanted) return;
    const answer = this.#lines;
    this.#lines = [];
    this.#answer(answer);
  }
}
