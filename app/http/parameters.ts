/** Reading of query strings. */
import { HeliographError } from '../../core/errors.ts';

/** A parsed query string, as Fastify hands it over. */
export type QueryString = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The single value of a field, or undefined where it is absent. Throws `bad_request` where it is given twice. */
export function single(query: QueryString, field: string): string | undefined {
  const value = Object.hasOwn(query, field) ? query[field] : undefined;
  if (value !== undefined && typeof value !== 'string') {
    throw new HeliographError('bad_request', `${field} is given more than once`);
  }
  return value;
}

/** An integer between bounds. Throws `bad_request` naming field and rule. */
export function integer(field: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw new HeliographError(
      'bad_request',
      `${field}: '${text.slice(0, 32)}' is not an integer from ${min} to ${max}`,
    );
  }
  return value;
}

/** `var-x=a&var-x=b` as chosen values by variable name. */
export function variableValues(query: QueryString): Map<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  for (const [field, value] of Object.entries(query)) {
    if (field.startsWith('var-') && value !== undefined) {
      values.set(field.slice('var-'.length), typeof value === 'string' ? [value] : value);
    }
  }
  return values;
}
