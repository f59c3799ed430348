// `npm run faults -- --rounds 200 --seed 1` breaks a real Heliograph on purpose, round after round, and counts what is stored.
// `npm run faults -- fuzz --bodies 1000000 --seed 1` sends mutated bodies through the door and into the engine.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, ROOT } from './lib/prepare.mjs';

const [first, ...rest] = process.argv.slice(2);
const isFuzz = first === 'fuzz';
ensureInstalled({ dev: true });
ensureBuilt();
const program = join(ROOT, 'test', 'faults', isFuzz ? 'fuzz' : 'rounds', 'main.ts');
const args = isFuzz ? rest : process.argv.slice(2);
const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, ...args], { cwd: ROOT, stdio: 'inherit' });
process.exit(status ?? 1);
