import type { Analyzer } from '../types.ts';

/** Whether the targets can be polled. Definitions: README.md in this folder. */
export const targets: Analyzer = {
  name: 'targets',
  sql: 'analyzers/targets/targets.sql',
  views: [
    {
      name: 'target_status',
      question: 'Which targets answer, and what is wrong with those that do not?',
      description: 'One row per target and kind of poll.',
      parameters: [
        { name: 'from', type: 'DateTime', description: 'Start of the window, inclusive.' },
        { name: 'to', type: 'DateTime', description: 'End of the window, exclusive.' },
      ],
      columns: [
        { name: 'service', type: 'String', unit: '', description: 'Service of the target.' },
        { name: 'target', type: 'String', unit: '', description: 'Name of the target.' },
        { name: 'kind', type: 'String', unit: '', description: 'What was asked for: goroutine, cpu, heap, expvar.' },
        {
          name: 'outcome',
          type: 'String',
          unit: '',
          description: 'Of the newest poll: ok, not_mounted (404), or what went wrong in one word.',
        },
        { name: 'reason', type: 'String', unit: '', description: 'The same in a sentence; empty for ok.' },
        { name: 'last_poll', type: 'DateTime64(3)', unit: '', description: 'Start of the newest poll.' },
        {
          name: 'last_ok',
          type: 'Nullable(DateTime64(3))',
          unit: '',
          description: 'Start of the newest good poll; NULL where the window has none.',
        },
        { name: 'polls', type: 'UInt64', unit: 'polls', description: 'Polls of the window.' },
        { name: 'ok_polls', type: 'UInt64', unit: 'polls', description: 'Those that read what was asked for.' },
        {
          name: 'duration_p50_ms',
          type: 'Nullable(Float64)',
          unit: 'ms',
          description: 'Median duration of the good polls (nearest rank); NULL where there is none.',
        },
        { name: 'duration_last_ms', type: 'Float64', unit: 'ms', description: 'Duration of the newest poll.' },
      ],
      countColumn: 'polls',
      orderBy: ['service', 'target', 'kind'],
      source: 'targets',
    },
  ],
};
