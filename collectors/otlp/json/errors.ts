/** The text breaks JSON, or OTLP's mapping of it, at byte `offset`; `rule` says which rule, without naming the field. */
export class JsonError extends Error {
  readonly offset: number;
  readonly rule: string;

  constructor(offset: number, rule: string) {
    super(`${rule} (at byte ${offset})`);
    this.name = 'JsonError';
    this.offset = offset;
    this.rule = rule;
  }
}
