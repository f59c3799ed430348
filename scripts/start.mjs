// `npm start`: installs, compiles and runs, each only where needed. Plain Node, since nothing is installed yet.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuilt, ensureInstalled, requirePlatform, ROOT } from './lib/prepare.mjs';

requirePlatform();
ensureInstalled({ dev: false });
ensureBuilt();
process.argv.splice(1, 1, join(ROOT, 'dist', 'app', 'main.js'), 'serve');
await import(pathToFileURL(process.argv[1]).href);
