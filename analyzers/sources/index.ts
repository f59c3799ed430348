import type { Analyzer } from '../types.ts';

/** How far a source's figures can be trusted. Definitions: README.md in this folder. */
export const sources: Analyzer = {
  name: 'sources',
  sql: 'analyzers/sources/sources.sql',
  views: [
    {
      name: 'source_status',
      question: 'Was the source received throughout the window, and up to when?',
      description: 'One row per source.',
      parameters: [
        { name: 'from', type: 'DateTime', description: 'Start of the window.' },
        { name: 'to', type: 'DateTime', description: 'End of the window; what lies in the future does not count.' },
      ],
      columns: [
        { name: 'source', type: 'String', unit: '', description: 'Signal the source delivers.' },
        {
          name: 'coverage',
          type: 'Nullable(Float64)',
          unit: 'ratio',
          description:
            'Share of the window’s minutes in which the source is known to have been received; NULL where unknown.',
        },
        {
          name: 'as_of',
          type: 'Nullable(DateTime64(9))',
          unit: '',
          description: 'Start of the newest item stored; NULL where there is none.',
        },
      ],
      source: null,
    },
  ],
};
