/** One value against one rule of the schema: read it, check it, say the rule, show it without its secret. */
import { isIP } from 'node:net';
import { Check } from 'typebox/schema';
import type { LeafSchema } from './leaf.ts';
import type { Setting } from './schema.ts';

export type SettingValue = string | number | boolean;

/** The value as the code sees it, or undefined where it breaks the rule. */
export interface Checked {
  value: SettingValue | undefined;
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `36h` as milliseconds, undefined where it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
}

/** Checks a value of a file, which has a type of its own. */
export function checkValue(schema: LeafSchema, raw: unknown): Checked {
  return { value: obeys(schema, raw) ? toCode(schema, raw) : undefined };
}

/** Checks text from a variable or a flag. */
export function checkText(schema: LeafSchema, text: string): Checked {
  return checkValue(schema, fromText(schema, text));
}

/** The rule as a sentence: `an integer from 0 to 65535`. */
export function ruleText(schema: LeafSchema): string {
  if (schema.rule !== undefined) return schema.rule;
  if (schema.shortest !== undefined) {
    return `a duration from ${schema.shortest} to ${schema.longest}: a number and ms, s, m, h or d`;
  }
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'boolean') return 'true or false';
  return `${schema.type === 'integer' ? 'an integer' : 'a number'} from ${schema.minimum} to ${schema.maximum}`;
}

/** The value as a person may see it. `raw` may be what was refused. */
export function shown({ schema }: Pick<Setting, 'schema'>, raw: unknown): string {
  if (schema.secret === 'value') return '********';
  const text = typeof raw === 'string' ? raw : JSON.stringify(raw);
  if (schema.secret === undefined) return text;
  return text.replace(/\/\/[^/\s]*@/, '//********@');
}

function fromText(schema: LeafSchema, text: string): unknown {
  if (schema.type === 'integer' || schema.type === 'number') {
    return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : text;
  }
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

function obeys(schema: LeafSchema, raw: unknown): raw is SettingValue {
  return Check(schema, raw) && (typeof raw !== 'string' || textObeys(schema, raw));
}

/** What a pattern cannot say. */
function textObeys(schema: LeafSchema, text: string): boolean {
  if (schema.unit === 'URL') return URL.canParse(text);
  if (schema.unit === 'address') return isIP(text) !== 0 || !/^[0-9.]+$|:/.test(text);
  if (schema.shortest === undefined || schema.longest === undefined) return true;
  const ms = parseDuration(text);
  return ms !== undefined && ms >= (parseDuration(schema.shortest) ?? 0) && ms <= (parseDuration(schema.longest) ?? 0);
}

function toCode(schema: LeafSchema, value: SettingValue): SettingValue | undefined {
  return schema.unit === 'duration' && typeof value === 'string' ? parseDuration(value) : value;
}
