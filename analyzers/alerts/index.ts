import type { Analyzer } from '../types.ts';

/** What the alerts did. Definitions and known bias: README.md in this folder. */
export const alerts: Analyzer = {
  name: 'alerts',
  sql: 'analyzers/alerts/alerts.sql',
  views: [
    {
      name: 'alerts',
      question: 'What alerted, and is it over?',
      description: 'One row per alert that was open at some time of the window, those that began before it included.',
      parameters: [
        { name: 'from', type: 'DateTime', description: 'Start of the window.' },
        { name: 'to', type: 'DateTime', description: 'End of the window; what came after it is left out.' },
      ],
      columns: [
        { name: 'fingerprint', type: 'String', unit: '', description: 'Hash over rule and labels.' },
        { name: 'rule', type: 'String', unit: '', description: 'latency or goroutines.' },
        { name: 'status', type: 'String', unit: '', description: 'pending, firing or resolved.' },
        {
          name: 'starts_at',
          type: 'DateTime64(3)',
          unit: '',
          description: 'When it became pending; with the fingerprint it names the alert.',
        },
        {
          name: 'ends_at',
          type: 'Nullable(DateTime64(3))',
          unit: '',
          description: 'When it was resolved; NULL while it is open.',
        },
        { name: 'changed_at', type: 'DateTime64(3)', unit: '', description: 'When it took this status.' },
        { name: 'labels', type: 'Map(LowCardinality(String), String)', unit: '', description: 'What it is about.' },
        { name: 'summary', type: 'String', unit: '', description: 'One sentence.' },
        { name: 'evidence', type: 'String', unit: '', description: 'JSON: what the rule saw (docs/ALERTS.md).' },
      ],
      orderBy: ['changed_at DESC', 'fingerprint'],
      source: null,
    },
  ],
};
