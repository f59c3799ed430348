import type { Analyzer } from '../types.ts';

/** Senders that cost more than they should. Definitions: README.md in this folder. */
export const senders: Analyzer = {
  name: 'senders',
  sql: 'analyzers/senders/senders.sql',
  views: [
    {
      name: 'route_budgets',
      question: 'Which senders make up more routes than they may?',
      description: 'One row per team and service that went over its budget of routes on a day that the window touches.',
      parameters: [
        { name: 'from', type: 'DateTime', description: 'Start of the window; its whole day counts.' },
        { name: 'to', type: 'DateTime', description: 'End of the window; its whole day counts.' },
      ],
      columns: [
        {
          name: 'team',
          type: 'String',
          unit: '',
          description: 'Team of the key that sent it; empty where no key names one.',
        },
        { name: 'service', type: 'String', unit: '', description: 'service.name of the resource.' },
        {
          name: 'routes',
          type: 'UInt64',
          unit: 'routes',
          description: 'Distinct routes of its worst day, those that were folded included (within 1 % or so).',
        },
        {
          name: 'budget',
          type: 'UInt32',
          unit: 'routes',
          description: 'Distinct routes a day that keep a row of their own.',
        },
        {
          name: 'folded_spans',
          type: 'UInt64',
          unit: 'spans',
          description: 'Spans of every kind that were counted under the route (other) instead.',
        },
        { name: 'since', type: 'DateTime', unit: '', description: 'When the first of them was stored.' },
      ],
      countColumn: 'folded_spans',
      orderBy: ['folded_spans DESC', 'team', 'service'],
      source: 'otlp_traces',
    },
  ],
};
