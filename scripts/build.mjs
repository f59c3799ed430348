// Compiles the sources to dist/. TypeScript 7 takes about a second, so there is no incremental state to go stale.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
/** The server, then the page, which is compiled for the browser. */
const PROJECTS = ['tsconfig.build.json', 'dashboards/viewer/page/tsconfig.json'];

const startedMs = new Date();
rmSync(join(root, 'dist'), { recursive: true, force: true });
for (const project of PROJECTS.map((path) => join(root, path)).filter((path) => existsSync(path))) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
writeFileSync(join(root, 'dist', '.built'), startedMs.toISOString());
