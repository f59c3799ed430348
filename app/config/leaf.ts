/** The kinds of settings, and what the schema says of one. */
import Type from 'typebox';

/** What the schema says of one key. `secret` says what of the value must not be shown. */
export interface LeafSchema {
  type?: string;
  description: string;
  unit: string;
  default?: string | number | boolean;
  examples: readonly (string | number | boolean)[];
  minimum?: number;
  maximum?: number;
  pattern?: string;
  minLength?: number;
  enum?: readonly string[];
  shortest?: string;
  longest?: string;
  rule?: string;
  secret?: 'value' | 'password of the URL';
  /** Of a list: what an item holds. */
  fields?: Readonly<Record<string, ListField>>;
}

/** One field of a list's items. Required unless it is optional or has a default. */
export type ListField = Partial<LeafSchema> & { optional?: boolean };

const DURATION = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$';

export const port = (description: string, value: number, example: number) =>
  Type.Integer({ description, unit: 'port', default: value, examples: [example], minimum: 0, maximum: 65_535 });

export const enabled = (description: string) =>
  Type.Boolean({ description, unit: 'true or false', default: true, examples: [false] });

/** Written `14d`, read by the code as milliseconds. `shortest` and `longest` are inclusive and written alike. */
export const duration = (description: string, value: string, example: string, shortest: string, longest: string) =>
  Type.Unsafe<number>({
    type: 'string',
    description,
    unit: 'duration',
    default: value,
    examples: [example],
    pattern: DURATION,
    shortest,
    longest,
  });

/** A list of mappings; `fields` says what an item holds. Relative paths in it are resolved like `dataDir`. */
export const list = <Item>(description: string, fields: Record<string, ListField>, example: string) =>
  Type.Unsafe<readonly Item[]>({
    type: 'array',
    description,
    unit: 'list',
    examples: [example],
    rule: `a list of ${Object.keys(fields).join(', ')}`,
    fields,
  });

export const NAME_FIELD = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$',
  rule: 'a name: letters, digits, . _ / -',
};
export const URL_FIELD = {
  type: 'string',
  unit: 'URL',
  pattern: '^https?://[^\\s/]+',
  rule: 'an http:// or https:// URL',
};
export const PATH_FIELD = { type: 'string', unit: 'path', minLength: 1, rule: 'a path' };
export const durationField = (value: string, shortest: string, longest: string): ListField => ({
  type: 'string',
  unit: 'duration',
  default: value,
  pattern: DURATION,
  shortest,
  longest,
});

export const secretFile = (description: string, example: string) =>
  Type.Optional(
    Type.String({ description, unit: 'path', examples: [example], minLength: 1, rule: 'a path of a readable file' }),
  );

export const pageUrl = (description: string) =>
  Type.Optional(
    Type.String({
      description,
      unit: 'URL',
      examples: ['https://heliograph.internal'],
      pattern: '^https?://[^\\s/?#]+[^\\s?#]*$',
      rule: 'an http:// or https:// URL without query',
    }),
  );
