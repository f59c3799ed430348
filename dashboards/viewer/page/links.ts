/** Data links of cells: Grafana's placeholders, filled from the row, the range and the variables. */

export interface LinkContext {
  from: string;
  to: string;
  values: ReadonlyMap<string, readonly string[]>;
  /** The row, by column name. */
  fields: Readonly<Record<string, unknown>>;
}

/**
 * Fills `${__url_time_range}`, `${__data.fields.NAME}` and `${variable:queryparam}`. `:percentencode` makes a value safe inside
 * a URL; without it the bare text stands there, which is for titles.
 */
export function fillTemplate(template: string, context: LinkContext): string {
  return template.replace(/\$\{([\w.]+)(?::(\w+))?\}/g, (whole, name: string, format: string | undefined) => {
    if (name === '__url_time_range') {
      return `from=${encodeURIComponent(context.from)}&to=${encodeURIComponent(context.to)}`;
    }
    if (name.startsWith('__data.fields.')) {
      const text = String(context.fields[name.slice('__data.fields.'.length)] ?? '');
      return format === 'percentencode' ? encodeURIComponent(text) : text;
    }
    const chosen = context.values.get(name);
    if (format === 'queryparam' && chosen !== undefined) {
      return chosen.map((value) => `var-${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
    }
    return whole;
  });
}
