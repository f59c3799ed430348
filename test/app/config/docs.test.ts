import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referencePages } from '../../../app/config/reference.ts';
import { checkList, parseList } from '../../../app/config/lists.ts';
import { checkValue } from '../../../app/config/rules.ts';
import { SETTINGS_LIST } from '../../../app/config/schema.ts';
import { assetPath } from '../../../core/paths.ts';

test.each(referencePages())('$path says what the code says (else run: node scripts/docs.mjs)', ({ path, text }) => {
  expect(readFileSync(assetPath(path), 'utf8')).toBe(text);
});

describe.each(SETTINGS_LIST)('$key', ({ schema }) => {
  test('is documented, and default and examples obey its rule', () => {
    expect(schema.description).toMatch(/\.$/);
    expect(schema.unit).not.toBe('');
    expect(schema.examples.length).toBeGreaterThan(0);
    const values = schema.secret === 'value' ? [] : [...schema.examples];
    if (schema.default !== undefined) values.push(schema.default);
    for (const value of values) {
      const checked =
        schema.fields === undefined ? checkValue(schema, value) : checkList(schema, parseList(String(value)));
      expect(
        'items' in checked ? checked.items : 'value' in checked ? checked.value : undefined,
        String(value),
      ).toBeDefined();
    }
  });
});
