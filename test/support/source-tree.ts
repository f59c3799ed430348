import { readdirSync, readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../../core/paths.ts';

/** The rooms of docs/ARCHITECTURE.md, in the order data runs. */
export const ROOMS = ['core', 'collectors', 'ingest', 'store', 'analyzers', 'dashboards', 'alerts', 'app'] as const;

export interface SourceFile {
  /** Path from the package root, with forward slashes. */
  path: string;
  room: string;
  text: string;
}

/** Every TypeScript file of the given top-level folders; a folder that does not exist yet has none. */
export function sourceFiles(folders: readonly string[]): SourceFile[] {
  return folders.flatMap((room) => {
    let names: string[];
    try {
      names = readdirSync(PACKAGE_ROOT + room, { recursive: true, encoding: 'utf8' });
    } catch {
      return [];
    }
    return names
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => ({ path: `${room}/${name}`, room, text: readFileSync(`${PACKAGE_ROOT}${room}/${name}`, 'utf8') }));
  });
}

/** Specifiers of static and dynamic imports and re-exports. */
export function importsOf(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^'"\n;]*?from\s+['"]([^'"]+)['"]|(?:^|\n)import\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|\n\} from ['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
}
