/** The settings of the alerts: receivers, and what the rules look at. */
import Type from 'typebox';
import type { Receiver } from './items.ts';
import { duration, enabled, list, NAME_FIELD, pageUrl, PATH_FIELD, URL_FIELD } from './leaf.ts';

export const ALERT_SETTINGS = Type.Object({
  every: duration('How often the rules are evaluated.', '30s', '1m', '1s', '1h'),
  pageUrl: pageUrl(
    'Where the team reaches the page: links in alerts begin with it. Absent: this machine’s own address.',
  ),
  receivers: list<Receiver>(
    'Webhooks that are told of alerts.',
    {
      name: { ...NAME_FIELD, description: 'The receiver; unique.' },
      url: { ...URL_FIELD, description: 'Takes a POST of the Alertmanager v4 body.', secret: 'password of the URL' },
      secretFile: { ...PATH_FIELD, description: 'File with the key of the signature over the body.', optional: true },
    },
    '[{ name: team, url: "https://hooks.internal/heliograph", secretFile: ./webhook.secret }]',
  ),
  rules: Type.Object({
    latency: Type.Object({
      enabled: enabled('Whether a jump of a route’s p99 is an alert.'),
      window: duration('What is looked at.', '5m', '10m', '1m', '1d'),
      baseline: duration('What it is compared with: the time right before the window.', '60m', '3h', '1m', '7d'),
      minIncreaseMs: Type.Number({
        description: 'The p99 rose by more than this.',
        unit: 'ms',
        default: 200,
        examples: [500],
        minimum: 0,
        maximum: 3_600_000,
      }),
      minIncreaseRatio: Type.Number({
        description: 'The p99 rose by more than this share of what it was.',
        unit: 'share',
        default: 0.2,
        examples: [0.5],
        minimum: 0,
        maximum: 1000,
      }),
      minCount: Type.Integer({
        description: 'Spans that window and baseline each need.',
        unit: 'spans',
        default: 300,
        examples: [1000],
        minimum: 1,
        maximum: 1_000_000_000,
      }),
      for: duration('How long it must hold before it fires.', '0s', '2m', '0s', '1d'),
    }),
    goroutines: Type.Object({
      enabled: enabled('Whether a stack whose goroutines pile up is an alert.'),
      window: duration('Length of one window; its smallest count is compared.', '10m', '5m', '2s', '1d'),
      windows: Type.Integer({
        description: 'Windows in a row, each with its minimum above the one before.',
        unit: 'windows',
        default: 4,
        examples: [6],
        minimum: 2,
        maximum: 100,
      }),
      minGrowth: Type.Integer({
        description: 'Goroutines by which the last minimum must lie above the first.',
        unit: 'goroutines',
        default: 1,
        examples: [50],
        minimum: 1,
        maximum: 1_000_000,
      }),
      for: duration('How long it must hold before it fires.', '0s', '10m', '0s', '1d'),
    }),
  }),
});
