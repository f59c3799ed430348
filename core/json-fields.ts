/**
 * Reading the fields of foreign JSON. A field that is absent or null is undefined, never a zero; one of the wrong kind throws a
 * `FieldRejected` that names field and rule, both in our own words: what the sender wrote is in neither.
 */

/** Why one item is not taken. `field` is its path in the sender's words, `''` for the whole item. */
export interface Reject {
  field: string;
  rule: string;
}

/** Thrown by the readers; a decoder turns it into a reject of that item. */
export class FieldRejected extends Error implements Reject {
  readonly field: string;
  readonly rule: string;

  constructor(field: string, rule: string) {
    super(`${field}: ${rule}`);
    this.name = 'FieldRejected';
    this.field = field;
    this.rule = rule;
  }
}

/** A JSON object and where it stands in its document. */
export interface Fields {
  /** `workflow_run.`, or '' at the top. */
  path: string;
  value: Readonly<Record<string, unknown>>;
}

/** Whether `value` is a JSON object: no array, no null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The field's own value; names that objects inherit (`constructor`) are no fields. */
function own({ value }: Fields, name: string): unknown {
  const found = Object.hasOwn(value, name) ? value[name] : undefined;
  return found === null ? undefined : found;
}

/** Passes a value that is there. Throws "is required" for undefined. */
export function required<T>(fields: Fields, name: string, value: T | undefined): T {
  if (value === undefined) throw new FieldRejected(fields.path + name, 'is required');
  return value;
}

export function objectField(fields: Fields, name: string): Fields | undefined {
  const value = own(fields, name);
  if (value === undefined) return undefined;
  if (!isObject(value)) throw new FieldRejected(fields.path + name, 'must be an object');
  return { path: `${fields.path}${name}.`, value };
}

/** Text of at most `maxLength` characters; half a surrogate pair, which no UTF-8 can hold, becomes U+FFFD. */
export function textField(fields: Fields, name: string, maxLength: number): string | undefined {
  const value = own(fields, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new FieldRejected(fields.path + name, 'must be text');
  if (value.length > maxLength) throw new FieldRejected(fields.path + name, `is longer than ${maxLength} characters`);
  return wellFormed(value);
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Text that is not empty. */
export function nameField(fields: Fields, name: string, maxLength: number): string | undefined {
  const text = textField(fields, name, maxLength);
  if (text === '') throw new FieldRejected(fields.path + name, 'must not be empty');
  return text;
}

export function textListField(fields: Fields, name: string, maxItems: number, maxLength: number): string[] {
  const value = own(fields, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new FieldRejected(fields.path + name, 'must be a list of texts');
  if (value.length > maxItems) throw new FieldRejected(fields.path + name, `has more than ${maxItems} items`);
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw new FieldRejected(fields.path + name, 'must be a list of texts');
    if (item.length > maxLength)
      throw new FieldRejected(fields.path + name, `has an item longer than ${maxLength} characters`);
    return wellFormed(item);
  });
}

/** A whole number from 1 to `max`, exact: above 2^53 - 1 JSON numbers no longer are. */
export function idField(fields: Fields, name: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = own(fields, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > max) {
    throw new FieldRejected(fields.path + name, `must be a whole number from 1 to ${max}`);
  }
  return value;
}

/** A commit hash, abbreviated or not, in lower case; '' is as good as absent. */
export function shaField(fields: Fields, name: string): string | undefined {
  const text = textField(fields, name, 64);
  if (text === undefined || text === '') return undefined;
  if (!/^[0-9a-f]{7,64}$/i.test(text)) throw new FieldRejected(fields.path + name, 'must be 7 to 64 hex digits');
  return text.toLowerCase();
}
