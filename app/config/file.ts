/** heliograph.yaml: which keys it sets, to what, and on which line. */
import { isCollection, isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { nearestName } from './nearest.ts';
import { SECTIONS, SETTINGS_LIST } from './schema.ts';

export interface FileValue {
  key: string;
  value: unknown;
  /** `heliograph.yaml:3`. */
  where: string;
}

export interface FileContent {
  values: FileValue[];
  /** One sentence each; they name file, line and rule. */
  problems: string[];
}

const KEYS = new Set(SETTINGS_LIST.map(({ key }) => key));
const LISTS = new Set(SETTINGS_LIST.filter(({ schema }) => schema.fields !== undefined).map(({ key }) => key));

/** Reads the text of a configuration file. `name` is how messages call it. Never throws. */
export function readConfigText(name: string, text: string): FileContent {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const whereIs = (offset: number | undefined) => `${name}:${lines.linePos(offset ?? 0).line}`;
  const content: FileContent = { values: [], problems: [] };
  for (const error of document.errors) content.problems.push(`${whereIs(error.pos[0])}: not YAML: ${error.message}`);
  if (content.problems.length > 0) return content;
  if (isMap(document.contents)) walk(document.contents, '', whereIs, content);
  else if (document.toJS() !== null) content.problems.push(`${name}:1: the file must be a mapping of keys to values`);
  return content;
}

function walk(map: YAMLMap, prefix: string, whereIs: (offset?: number) => string, content: FileContent): void {
  for (const pair of map.items) {
    const at = isScalar(pair.key) ? pair.key : undefined;
    const key = `${prefix}${String(at?.value ?? pair.key)}`;
    const where = whereIs(at?.range?.[0]);
    const node = pair.value;
    if (KEYS.has(key)) {
      const value = isScalar(node) ? node.value : node;
      if (value !== null)
        content.values.push({ key, value: isScalar(node) ? value : plain(node, LISTS.has(key)), where });
    } else if (!SECTIONS.has(key)) {
      content.problems.push(unknownKey(key, where));
    } else if (isMap(node)) {
      walk(node, `${key}.`, whereIs, content);
    } else if (!(isScalar(node) && node.value === null)) {
      const inside = SETTINGS_LIST.filter((setting) => setting.key.startsWith(`${key}.`)).map((setting) => setting.key);
      content.problems.push(`${where}: ${key} is a section; what can be set is ${inside.join(', ')}`);
    }
  }
}

/** A list or mapping: its content where a list belongs, else shown as what it is, so that the rule refuses it. */
function plain(node: unknown, listBelongs: boolean): unknown {
  if (listBelongs && isCollection(node)) return node.toJSON() as unknown;
  return isMap(node) ? { mapping: true } : { list: true };
}

function unknownKey(key: string, where: string): string {
  const nearest = nearestName(key, [...KEYS, ...SECTIONS]);
  return `${where}: unknown key ${key}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`;
}
