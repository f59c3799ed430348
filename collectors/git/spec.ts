/** What is known of a repository before it is looked at. */
import type { GitTool } from './command.ts';

/** A repository as it is configured; one of `path` and `url` is given. */
export interface RepositorySpec {
  name?: string | undefined;
  /** Absolute. */
  path?: string | undefined;
  url?: string | undefined;
  branch?: string | undefined;
}

export interface RepositoryDeps {
  tool: GitTool;
  /** Mirrors lie in `<dataDir>/git`. */
  dataDir: string;
}
