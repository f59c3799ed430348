// @ts-check
/** Alerts in the form that a person reads in a terminal. */

/**
 * One alert of an Alertmanager webhook, as far as it is read here.
 * @typedef {object} Alert
 * @property {string} status `firing` or `resolved`
 * @property {Record<string, string>} labels
 * @property {Record<string, string>} annotations
 * @property {string} [startsAt]
 * @property {string} [endsAt]
 * @property {string} [generatorURL]
 * @property {string} [fingerprint]
 */

const VALUE_LINES_MAX = 8;
const VALUE_WIDTH_MAX = 110;
/** What stands in the first line, and is not repeated below. */
const HEADLINE = ['alertname', 'severity'];
const SEE = 'see';

/**
 * Lines without an end: a headline, then labels and annotations, one a line, aligned.
 * @param {Alert} alert
 * @returns {string[]}
 */
export function alertLines(alert) {
  const { labels, annotations } = alert;
  const { summary, description, ...evidence } = annotations;
  const severity = labels['severity'] === undefined ? '' : ` (${labels['severity']})`;
  const facts = [
    ...Object.entries(labels).filter(([name]) => !HEADLINE.includes(name)),
    ...Object.entries(evidence),
  ].filter(([, value]) => value !== '');
  const width = Math.max(SEE.length, ...facts.map(([name]) => name.length));
  return [
    `${alert.status.toUpperCase()}  ${labels['alertname'] ?? 'alert without a name'}${severity}`,
    ...[summary, description]
      .filter((text) => text !== undefined && text !== '')
      .flatMap((text) => wrap(text ?? '', 2)),
    ...facts.flatMap(([name, value]) => labelled(name, shortNumber(value), width)),
    // An address is whole or of no use.
    ...(alert.generatorURL ? [`  ${SEE.padEnd(width)}  ${printable(alert.generatorURL)}`] : []),
  ];
}

/**
 * A value may have lines of its own (a stack); they stand under one another.
 * @param {string} name
 * @param {string} value
 * @param {number} width
 */
function labelled(name, value, width) {
  const lines = value.trimEnd().split('\n').map(clip);
  const shown = lines.slice(0, VALUE_LINES_MAX);
  if (lines.length > shown.length) shown.push(`… ${lines.length - shown.length} more lines`);
  return shown.map((line, i) => `  ${(i === 0 ? name : '').padEnd(width)}  ${line}`);
}

/**
 * Nobody reads fifteen decimals.
 * @param {string} value
 */
function shortNumber(value) {
  return /^-?\d+\.\d{3,}$/.test(value) ? Number(value).toFixed(2) : value;
}

/** @param {string} line */
function clip(line) {
  const text = printable(line);
  return text.length > VALUE_WIDTH_MAX ? `${text.slice(0, VALUE_WIDTH_MAX - 1)}…` : text;
}

/** @param {string} text */
function printable(text) {
  return text.replaceAll('\t', '  ').replace(/\p{Cc}/gu, '?');
}

/**
 * Breaks a sentence at spaces.
 * @param {string} text
 * @param {number} indent
 * @returns {string[]}
 */
function wrap(text, indent) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(/\s+/).map(clip)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > VALUE_WIDTH_MAX) lines.push(' '.repeat(indent) + word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
