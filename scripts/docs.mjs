// Writes the pages that are generated from code (docs/CONFIG.md, docs/ERRORS.md, .env.example). With --check it writes
// nothing and fails where one of them says something else than the code.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tsImport } from 'tsx/esm/api';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { referencePages } = await tsImport('../app/config/reference.ts', import.meta.url);
const check = process.argv.includes('--check');

function current(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

for (const { path, text } of referencePages()) {
  const target = join(root, path);
  if (current(target) === text) continue;
  if (check) {
    console.error(`${path} is out of date; run: node scripts/docs.mjs`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(`wrote ${path}`);
}
