/** Unix seconds as ClickHouse reads a DateTime64 from text; a bare number would be ticks. */
export function stamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 23).replace('T', ' ');
}
