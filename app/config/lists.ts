/** Settings that are lists of mappings: what an item is, and how one is read. */
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { nearestName } from './nearest.ts';
import { checkValue, ruleText, shown } from './rules.ts';
import type { LeafSchema, ListField } from './leaf.ts';

export type ListItem = Readonly<Record<string, unknown>>;

/** The items as the code sees them, or what is wrong, one sentence each, beginning with the place (`[1].url: …`). */
export type CheckedList = { items: ListItem[] } | { problems: string[] };

/** Reads the text of a variable or a flag, which is YAML or JSON; undefined where it is neither. */
export function parseList(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Checks a list against the fields of its schema and fills in their defaults. */
export function checkList({ fields = {}, rule }: LeafSchema, raw: unknown): CheckedList {
  if (!Array.isArray(raw)) return { problems: [`: must be ${rule}`] };
  const problems: string[] = [];
  const items = raw.map((item: unknown, index) => checkItem(fields, item, `[${index}]`, problems));
  const names = items.map(({ name }) => name).filter((name) => name !== undefined);
  for (const [index, name] of names.entries())
    if (names.indexOf(name) !== index) problems.push(`[${index}].name: "${String(name)}" stands twice`);
  return problems.length > 0 ? { problems } : { items };
}

function checkItem(
  fields: Readonly<Record<string, ListField>>,
  item: unknown,
  at: string,
  problems: string[],
): ListItem {
  if (!isMapping(item)) {
    problems.push(`${at}: must be a mapping of ${Object.keys(fields).join(', ')}`);
    return {};
  }
  for (const key of Object.keys(item)) {
    if (Object.hasOwn(fields, key)) continue;
    const nearest = nearestName(key, Object.keys(fields));
    problems.push(`${at}.${key}: is unknown${nearest === undefined ? '' : `; did you mean ${nearest}?`}`);
  }
  const entries = Object.entries(fields).map(([key, field]) => [
    key,
    checkField(field, item[key] ?? undefined, `${at}.${key}`, problems),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as ListItem;
}

function checkField(field: ListField, raw: unknown, at: string, problems: string[]): unknown {
  const given = raw ?? field.default;
  if (given === undefined) {
    if (field.optional !== true) problems.push(`${at}: is required (${ruleOf(field)})`);
    return undefined;
  }
  const value = field.type === 'map' ? textMap(given) : checkValue(field as LeafSchema, given).value;
  if (value === undefined)
    problems.push(`${at}: ${shown({ schema: field as LeafSchema }, given)} is refused, it must be ${ruleOf(field)}`);
  return value;
}

function ruleOf(field: ListField): string {
  return field.type === 'map' ? 'a mapping of names to text' : ruleText(field as LeafSchema);
}

function textMap(value: unknown): Record<string, string> | undefined {
  if (!isMapping(value)) return undefined;
  const isText = Object.values(value).every((each) => typeof each === 'string' && !/[\r\n]/.test(each));
  return isText ? (value as Record<string, string>) : undefined;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The items with their secrets masked. */
export function maskedList({ fields = {} }: LeafSchema, items: readonly ListItem[]): ListItem[] {
  const mask = (key: string, value: unknown): unknown => {
    const field = fields[key];
    if (field?.secret === undefined) return value;
    return shown({ schema: field as LeafSchema }, value);
  };
  return items.map((item) => Object.fromEntries(Object.entries(item).map(([key, value]) => [key, mask(key, value)])));
}

/** The list on one line, secrets masked; what is written can be read back. */
export function shownList(schema: LeafSchema, items: readonly ListItem[]): string {
  return JSON.stringify(maskedList(schema, items));
}

/** The items with their paths made absolute, seen from `dir`. */
export function resolvePaths({ fields = {} }: LeafSchema, items: readonly ListItem[], dir: string): ListItem[] {
  const isPath = (key: string): boolean => fields[key]?.unit === 'path';
  return items.map((item) =>
    Object.fromEntries(
      Object.entries(item).map(([key, value]) => [key, isPath(key) ? resolve(dir, String(value)) : value]),
    ),
  );
}
