import { expect, test } from 'vitest';
import { expose } from '../../../../app/background/derived/exposition.ts';
import { peerLint } from '../../../support/promtool.ts';
import { peerTest } from '../../../support/peers.ts';

const NASTY = 'a "quote", a \\backslash\\, a\nnew line, \\n, {braces}, ünïcode 漢字 🌞, \t tab, \r return, \u2028';

const FAMILIES = [
  {
    name: 'x_seconds',
    type: 'histogram' as const,
    help: 'Two\nlines and a \\.',
    samples: [
      { suffix: '_bucket', labels: { name: NASTY, le: 0.000156435 }, value: 1 },
      { suffix: '_bucket', labels: { name: NASTY, le: '+Inf' }, value: 2 },
      { suffix: '_sum', labels: { name: NASTY }, value: 0.25 },
      { suffix: '_count', labels: { name: NASTY }, value: 2 },
    ],
  },
  { name: 'plain', type: 'gauge' as const, help: 'No labels.', samples: [{ labels: {}, value: 3 }] },
  { name: 'y_total', type: 'untyped' as const, help: 'Untyped.', samples: [{ labels: { a: '' }, value: 1e21 }] },
  { name: 'none', type: 'gauge' as const, help: 'Nothing to say.', samples: [] },
];

test('families are lines of the text format, values escaped, empty ones left out', () => {
  const escaped = NASTY.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
  expect(expose(FAMILIES).split('\n')).toEqual([
    '# HELP x_seconds Two\\nlines and a \\\\.',
    '# TYPE x_seconds histogram',
    `x_seconds_bucket{name="${escaped}",le="0.000156435"} 1`,
    `x_seconds_bucket{name="${escaped}",le="+Inf"} 2`,
    `x_seconds_sum{name="${escaped}"} 0.25`,
    `x_seconds_count{name="${escaped}"} 2`,
    '# HELP plain No labels.',
    '# TYPE plain gauge',
    'plain 3',
    '# HELP y_total Untyped.',
    '# TYPE y_total untyped',
    'y_total{a=""} 1e+21',
    '',
  ]);
});

peerTest('promtool', 'promtool reads what is escaped', async () => {
  expect(peerLint(expose(FAMILIES))).toEqual({ status: 0, output: '' });
});
