import { readFileSync } from 'node:fs';
import { assetPath } from '../core/paths.ts';

/** This build's version, from package.json. */
export const VERSION: string = (JSON.parse(readFileSync(assetPath('package.json'), 'utf8')) as { version: string })
  .version;
