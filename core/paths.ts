/**
 * Where the project's own files lie. Code runs from two places, the sources (tests) and `dist/` (everything else); assets
 * such as `.sql` and `.json` are read from the sources in both cases, so the build copies nothing.
 */
import { fileURLToPath } from 'node:url';

/** Absolute path of the package root, with a trailing slash. */
export const PACKAGE_ROOT = fileURLToPath(
  new URL(import.meta.url.includes('/dist/core/') ? '../../' : '../', import.meta.url),
);

/** Absolute path of a committed file, given from the package root (`store/migrations`). */
export function assetPath(relative: string): string {
  return PACKAGE_ROOT + relative;
}

/**
 * Absolute path of the built form of a module, for worker threads and child processes: on Node 20 they cannot start from
 * a `.ts` file. `npm test` builds first.
 */
export function builtPath(relative: string): string {
  return `${PACKAGE_ROOT}dist/${relative.replace(/\.ts$/, '.js')}`;
}
