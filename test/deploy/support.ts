import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { assetPath } from '../../core/paths.ts';

export interface ComposeService {
  image: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  secrets?: string[];
  ports?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}

export interface Compose {
  services: Record<string, ComposeService>;
  secrets: Record<string, { environment: string }>;
  volumes: Record<string, unknown>;
}

export const read = (path: string): string => readFileSync(assetPath(path), 'utf8');
export const readYaml = (path: string): unknown => parse(read(path));
export const compose = readYaml('compose.yaml') as Compose;
export const alerting = readYaml('compose.alerting.yaml') as Pick<Compose, 'services'>;

/** One instruction of a Dockerfile, continued lines joined: `COPY` and what follows. */
export interface Instruction {
  name: string;
  rest: string;
}

export function dockerfile(): Instruction[] {
  return read('Dockerfile')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', ...rest] = line.trim().split(/\s+/);
      return { name, rest: rest.join(' ') };
    });
}

/** What `COPY . .` leaves out. Every line is the name of a file or folder at the root. */
export const dockerIgnored = read('.dockerignore')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
