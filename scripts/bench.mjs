// `npm run bench -- <name> [arguments]`: runs one program of bench/; without a name, lists them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, ROOT, say } from './lib/prepare.mjs';

const [name, ...args] = process.argv.slice(2);
ensureInstalled({ dev: true });
ensureBuilt();
// Benches compare with packages that only developers install, so they are not part of the build.
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
if (spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.bench.json')], { stdio: 'inherit' }).status !== 0)
  process.exit(1);
const program = join(ROOT, 'dist', 'bench', `${name}.js`);
if (name === undefined || !existsSync(program)) {
  say(
    `npm run bench -- <name>, with one of: ${readdirSync(join(ROOT, 'bench'))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.slice(0, -3))
      .join(', ')}`,
  );
  process.exit(name === undefined ? 0 : 2);
}
process.exit(
  spawnSync(process.execPath, ['--expose-gc', program, ...args], { cwd: ROOT, stdio: 'inherit' }).status ?? 1,
);
