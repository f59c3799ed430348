/** Flag > environment > file > default, every value checked wherever it came from, all that is wrong said at once. */
import { dirname, resolve } from 'node:path';
import { HeliographError } from '../../core/errors.ts';
import type { Environment } from './environment.ts';
import { type FileValue, readConfigText } from './file.ts';
import { checkList, type ListItem, parseList, resolvePaths } from './lists.ts';
import { SELF_TARGET } from './items.ts';
import { authRules } from './auth-rules.ts';
import { isLoopback } from './loopback.ts';
import { nearestName } from './nearest.ts';
import { checkText, checkValue, ruleText, shown } from './rules.ts';
import type { LeafSchema } from './leaf.ts';
import { type Config, type Setting, SETTINGS_LIST } from './schema.ts';

export const DEFAULT_FILE = 'heliograph.yaml';
export const FILE_VARIABLE = 'HELIOGRAPH_CONFIG';
export const FILE_FLAG = '--config';

export interface ConfigInput {
  /** Text of the flags that were given, by key (`otlp.httpPort`). */
  flags: Readonly<Record<string, string>>;
  /** Path given by `--config`. */
  file?: string | undefined;
  env: Environment;
  cwd: string;
  /** Text of a file, undefined where there is none; may throw what the system says. */
  readFile: (path: string) => string | undefined;
}

export interface Origin {
  source: 'flag' | 'environment' | 'file' | 'default';
  /** `--port`, `HELIOGRAPH_PORT`, `heliograph.yaml:3`; '' for a default. */
  detail: string;
}

export interface LoadedConfig {
  config: Config;
  /** By key. */
  origins: Record<string, Origin>;
}

/** What could be read, with defaults in place of what was refused. */
export interface ReadConfig extends LoadedConfig {
  /** One sentence each: key, value (masked where it is a secret), rule and where it came from. */
  problems: string[];
}

/** Loads the configuration. Throws `bad_config` with every problem in its message, one a line. */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const { config, origins, problems } = readConfig(input);
  if (problems.length > 0) throw new HeliographError('bad_config', problemsText(problems));
  return { config, origins };
}

/** Like `loadConfig`, for those who want to look at a configuration that is refused. */
export function readConfig(input: ConfigInput): ReadConfig {
  const problems: string[] = unknownVariables(input.env);
  const file = readFile(input, problems);
  const origins: Record<string, Origin> = {};
  const values: Record<string, unknown> = {};
  for (const setting of SETTINGS_LIST) {
    const found = resolveSetting(setting, input, file, problems);
    values[setting.key] = found.value;
    origins[setting.key] = found.origin;
  }
  const config = nest(values) as unknown as Config;
  const refused = SETTINGS_LIST.map(({ key }) => key).filter((key) =>
    problems.some((text) => text.startsWith(`${key}: `) || text.startsWith(`${key}[`)),
  );
  problems.push(...crossRules(config, new Set(refused)));
  return { config, origins, problems };
}

function problemsText(problems: readonly string[]): string {
  if (problems.length === 1) return problems[0] ?? '';
  return [`${problems.length} settings are refused:`, ...problems.map((problem) => `  ${problem}`)].join('\n');
}

interface OpenFile {
  values: Map<string, FileValue>;
  dir: string;
}

interface Found {
  value: unknown;
  origin: Origin;
}

/** Checks what every source says of one setting and takes the first that is right. */
function resolveSetting(setting: Setting, input: ConfigInput, file: OpenFile, problems: string[]): Found {
  const { key, variable, flag, schema } = setting;
  const candidates: { checked: Checked; origin: Origin }[] = [];
  const flagText = input.flags[key];
  if (flagText !== undefined) {
    candidates.push({ checked: check(setting, flagText, true), origin: { source: 'flag', detail: flag } });
  }
  const variableText = input.env[variable];
  if (variableText !== undefined && variableText !== '') {
    candidates.push({
      checked: check(setting, variableText, true),
      origin: { source: 'environment', detail: variable },
    });
  }
  const inFile = file.values.get(key);
  if (inFile !== undefined) {
    candidates.push({ checked: check(setting, inFile.value, false), origin: { source: 'file', detail: inFile.where } });
  }
  for (const { checked, origin } of candidates) {
    for (const problem of checked.problems) problems.push(`${key}${problem} (${origin.detail})`);
  }
  const chosen = candidates.find(({ checked }) => checked.problems.length === 0);
  const fallback = {
    checked: check(setting, schema.fields === undefined ? schema.default : [], false),
    origin: { source: 'default', detail: '' } as Origin,
  };
  const { checked, origin } = chosen ?? fallback;
  const dir = origin.source === 'file' ? file.dir : input.cwd;
  return { value: absolute(schema, checked.value, dir), origin };
}

/** A value as the code sees it, and what is wrong with it: sentences that go on behind the key. */
interface Checked {
  value: unknown;
  problems: string[];
}

function check(setting: Setting, raw: unknown, isText: boolean): Checked {
  const { schema } = setting;
  if (schema.fields !== undefined) {
    const checked = checkList(schema, isText ? parseList(String(raw)) : raw);
    return 'items' in checked ? { value: checked.items, problems: [] } : { value: [], problems: checked.problems };
  }
  const { value } = isText ? checkText(schema, String(raw)) : checkValue(schema, raw);
  const refused = value === undefined && raw !== undefined;
  return { value, problems: refused ? [`: ${shown(setting, raw)} is refused, it must be ${ruleText(schema)}`] : [] };
}

/** Paths are seen from the file that names them, or from the working directory. */
function absolute(schema: LeafSchema, value: unknown, dir: string): unknown {
  if (schema.fields !== undefined) return resolvePaths(schema, value as ListItem[], dir);
  return schema.unit === 'path' && typeof value === 'string' ? resolve(dir, value) : value;
}

function readFile({ file, env, cwd, readFile: read }: ConfigInput, problems: string[]): OpenFile {
  const fromEnv = env[FILE_VARIABLE] === '' ? undefined : env[FILE_VARIABLE];
  const named = file ?? fromEnv;
  const name = named ?? DEFAULT_FILE;
  const path = resolve(cwd, name);
  const open: OpenFile = { values: new Map(), dir: dirname(path) };
  let text: string | undefined;
  try {
    text = read(path);
  } catch (error) {
    problems.push(`${name}: cannot be read: ${(error as Error).message}`);
    return open;
  }
  if (text === undefined) {
    if (named !== undefined) {
      problems.push(`${name}: there is no such file (${file === undefined ? FILE_VARIABLE : FILE_FLAG})`);
    }
    return open;
  }
  const content = readConfigText(name, text);
  problems.push(...content.problems);
  for (const value of content.values) open.values.set(value.key, value);
  return open;
}

/** A variable that means nothing is a setting that was meant. Values are not shown: they may be secrets. */
function unknownVariables(env: Environment): string[] {
  const known = [FILE_VARIABLE, ...SETTINGS_LIST.map(({ variable }) => variable)];
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith('HELIOGRAPH_') && value !== '' && !known.includes(name))
    .map(([name]) => {
      const nearest = nearestName(
        name.slice('HELIOGRAPH_'.length),
        known.map((each) => each.slice('HELIOGRAPH_'.length)),
      );
      return `unknown variable ${name}${nearest === undefined ? '' : `; did you mean HELIOGRAPH_${nearest}?`}`;
    });
}

/** Rules between keys; a key that was refused by itself is not blamed a second time. */
function crossRules(config: Config, refused: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  if (!isLoopback(config.bind) && config.token === undefined && !refused.has('token')) {
    problems.push(
      `bind: ${config.bind} is refused without a token, others could reach it; set HELIOGRAPH_TOKEN or bind to 127.0.0.1`,
    );
  }
  const ports: [string, number][] = [
    ['port', config.port],
    ['otlp.httpPort', config.otlp.httpPort],
    ['otlp.grpcPort', config.otlp.grpcPort],
  ];
  for (const [index, [key, port]] of ports.entries()) {
    const other = ports.slice(index + 1).find(([, taken]) => port !== 0 && taken === port);
    if (other !== undefined)
      problems.push(`${key}: ${port} is refused, ${other[0]} has it too; the two doors need a port each`);
  }
  for (const [index, { path, url }] of config.git.repositories.entries()) {
    if ((path === undefined) === (url === undefined))
      problems.push(`git.repositories[${index}]: takes a path or a url, one of the two`);
  }
  for (const [index, { name, cpuEvery, cpuDuration }] of config.targets.entries()) {
    if (name === SELF_TARGET) problems.push(`targets[${index}].name: ${name} is Heliograph's own target`);
    if (cpuDuration >= cpuEvery) problems.push(`targets[${index}].cpuDuration: must be shorter than cpuEvery`);
  }
  if (config.clickhouseCluster !== undefined && config.clickhouseUrl === undefined && !refused.has('clickhouseUrl')) {
    problems.push('clickhouseCluster: is refused without clickhouseUrl, the embedded engine has no cluster');
  }
  problems.push(...authRules(config, refused));
  return problems;
}

/** `{ 'otlp.httpPort': 1 }` -> `{ otlp: { httpPort: 1 } }`. */
function nest(values: Record<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const parts = key.split('.');
    const last = parts.pop() ?? key;
    let node = root;
    for (const part of parts) {
      node[part] ??= {};
      node = node[part] as Record<string, unknown>;
    }
    node[last] = value;
  }
  return root;
}
