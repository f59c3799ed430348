// Before `npm test`: a fresh clone gets its packages and its build.
import { ensureBuilt, ensureInstalled, requirePlatform } from './lib/prepare.mjs';

requirePlatform();
ensureInstalled({ dev: true });
ensureBuilt();
