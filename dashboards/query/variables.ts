/** Board variables in SQL: values from outside, one escaping function, no second look at what was put in. */
import { HeliographError } from '../../core/errors.ts';
import { ALL_VALUE } from '../shared/model.ts';
import { sqlString } from './escape.ts';
import { replaceMacros } from './macros.ts';

/** Chosen values by variable name; the single value `$__all` (or its text, `All`) means every option. */
export type VariableValues = ReadonlyMap<string, readonly string[]>;

/** Whether the variable stands for every option: All chosen, nothing chosen, or an empty choice. */
export function isAll(values: readonly string[] | undefined): boolean {
  return values === undefined || values.every((value) => value === ALL_VALUE || value === 'All' || value === '');
}

/** `$__conditionalAll(condition, $variable)`: `1=1` where the variable is All, else the condition. */
export function expandConditionalAll(sql: string, values: VariableValues): string {
  return replaceMacros(sql, (name, args) => {
    if (name !== 'conditionalAll') return undefined;
    const variable = /^\$\{?(\w+)\}?$/.exec(args.at(-1) ?? '')?.[1];
    if (args.length < 2 || variable === undefined) {
      throw new HeliographError('bad_request', '$__conditionalAll takes a condition and a variable');
    }
    return isAll(values.get(variable)) ? '1=1' : args.slice(0, -1).join(', ');
  });
}

/** What the board itself says stands for All, by variable name: SQL of its own, never of a request. */
export type AllValues = ReadonlyMap<string, string>;

/**
 * Puts `${name:singlequote}` in as quoted, comma-separated literals, in one pass, so a value that itself looks like a variable
 * or a macro stays text. Any other format would paste a value unquoted and is refused, as is a variable without a value.
 */
export function interpolate(sql: string, values: VariableValues, allValues: AllValues = new Map()): string {
  return sql.replace(/\$\{(\w+)(?::(\w+))?\}/g, (_, name: string, format: string | undefined) => {
    if (format !== 'singlequote') {
      throw new HeliographError('internal', `the board uses \${${name}} without :singlequote`);
    }
    const chosen = values.get(name);
    if (chosen === undefined || isAll(chosen)) {
      const all = allValues.get(name);
      if (all !== undefined) return all;
      throw new HeliographError('bad_request', `var-${name} is required: choose a value of this variable`);
    }
    return chosen.map(sqlString).join(',');
  });
}

/** Names of the variables a text refers to, macros left out. */
export function variableNames(text: string): string[] {
  const names = [...text.matchAll(/\$\{(\w+)(?::\w+)?\}|\$(\w+)/g)].map((match) => match[1] ?? match[2] ?? '');
  return [...new Set(names.filter((name) => !name.startsWith('__')))];
}
