/** Prometheus' text format, written by hand: prom-client has no untyped metrics and keeps a counter per label set. */

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'untyped';

export interface Sample {
  /** What follows the family's name: '' or `_bucket`, `_sum`, `_count`. */
  suffix?: string;
  labels: Readonly<Record<string, string | number>>;
  value: number;
}

export interface Family {
  name: string;
  type: MetricType;
  help: string;
  samples: Iterable<Sample>;
}

/** The families as text, each line ended; a family without samples is left out. */
export function expose(families: readonly Family[]): string {
  return families.map(exposeFamily).join('');
}

function exposeFamily({ name, type, help, samples }: Family): string {
  let lines = '';
  for (const { suffix = '', labels, value } of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(String(text))}"`);
    lines += `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
  }
  return lines === '' ? '' : `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

function escapeLabel(text: string): string {
  return text.replace(/[\\\n"]/g, (character) => ESCAPES[character] ?? character);
}

function escapeHelp(text: string): string {
  return text.replace(/[\\\n]/g, (character) => ESCAPES[character] ?? character);
}
