/** A repository that cannot be collected now: its fault or its surroundings', never ours. The message names the rule, and no secret. */
export class GitProblem extends Error {
  constructor(rule: string, options: { cause?: unknown } = {}) {
    super(withoutCredentials(rule), options);
    this.name = 'GitProblem';
  }
}

/** Text without the user names and passwords of URLs in it. */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/gi, '$1***@');
}

/** What went wrong, in one line of reasonable length, in the words of the rule where git's own are known. */
export function problemOf(error: unknown, doing: string): GitProblem {
  if (error instanceof GitProblem) return error;
  const text = error instanceof Error ? error.message : String(error);
  const rule = KNOWN.find(([pattern]) => pattern.test(text))?.[1] ?? `git said: ${oneLine(text)}`;
  return new GitProblem(`${doing}: ${rule}`, { cause: error });
}

const KNOWN: readonly [RegExp, string][] = [
  [/spawn git ENOENT/, 'git is not on PATH'],
  [
    /dubious ownership/,
    'the directory belongs to another user, whose settings git would obey; allow it with git config --global --add safe.directory <path>',
  ],
  [/not a git repository/i, 'is no git repository'],
  [
    /could not read (Username|Password)|Authentication failed|terminal prompts disabled/i,
    'the remote wants credentials',
  ],
  [/Permission denied \(publickey|Host key verification failed/i, 'ssh was refused; try it once by hand, as this user'],
  [
    /lazy fetching disabled|promisor|transport '[^']*' not allowed/i,
    'objects are missing here (a partial clone?); git fetch --refetch brings them',
  ],
];

function oneLine(text: string): string {
  return withoutCredentials(text).trim().replace(/\s+/g, ' ').slice(0, 300);
}
