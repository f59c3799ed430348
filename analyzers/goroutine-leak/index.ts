import type { Analyzer } from '../types.ts';

/** Which goroutines pile up. Definitions and known bias: README.md in this folder. */
export const goroutineLeak: Analyzer = {
  name: 'goroutine-leak',
  sql: 'analyzers/goroutine-leak/goroutine-leak.sql',
  views: [
    {
      name: 'goroutine_polls',
      question: 'Which targets were asked for their goroutines?',
      description: 'One row per target with a goroutine profile in the window.',
      parameters: [
        { name: 'from', type: 'DateTime', description: 'Start of the window.' },
        {
          name: 'to',
          type: 'DateTime',
          description: 'End of the window, exclusive; now, where it lies in the future.',
        },
      ],
      columns: [
        { name: 'service', type: 'String', unit: '', description: 'Service of the target.' },
        { name: 'target', type: 'String', unit: '', description: 'Name of the target.' },
        { name: 'polls', type: 'UInt64', unit: 'polls', description: 'Polls that answered with a profile.' },
      ],
      orderBy: ['service', 'target'],
      source: 'targets',
    },
    {
      name: 'goroutine_suspects',
      question: 'Which stacks gather goroutines that do not end?',
      description: 'One row per target and stack whose window minimum rose from each window to the next.',
      parameters: [
        { name: 'to', type: 'DateTime', description: 'End of the last window; now, where it lies in the future.' },
        { name: 'window', type: 'UInt32', description: 'Seconds per window, at least 1.', default: 600 },
        { name: 'windows', type: 'UInt32', description: 'How many windows, at least 2.', default: 4 },
      ],
      columns: [
        { name: 'service', type: 'String', unit: '', description: 'Service of the target.' },
        { name: 'target', type: 'String', unit: '', description: 'Name of the target.' },
        { name: 'stack', type: 'String', unit: '', description: 'Hash over the functions, 32 lower hex digits.' },
        {
          name: 'function',
          type: 'String',
          unit: '',
          description: 'First frame from the leaf that is not Go’s own machinery for waiting.',
        },
        { name: 'location', type: 'String', unit: '', description: 'file:line of that frame, as last seen.' },
        { name: 'functions', type: 'Array(String)', unit: '', description: 'Every frame, root first.' },
        {
          name: 'minima',
          type: 'Array(Int64)',
          unit: 'goroutines',
          description: 'Least goroutines in each window, oldest first.',
        },
        { name: 'first_minimum', type: 'Int64', unit: 'goroutines', description: 'Of the oldest window.' },
        { name: 'last_minimum', type: 'Int64', unit: 'goroutines', description: 'Of the newest window.' },
        { name: 'growth', type: 'Int64', unit: 'goroutines', description: 'last_minimum - first_minimum.' },
        { name: 'since', type: 'DateTime', unit: '', description: 'Start of the oldest window.' },
        { name: 'polls', type: 'UInt64', unit: 'polls', description: 'Polls of the target in all windows.' },
      ],
      orderBy: ['growth DESC', 'service', 'target', 'stack'],
      source: 'targets',
    },
  ],
};
