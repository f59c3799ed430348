import type { Analyzer } from '../types.ts';

/** What the cap on disk use cost. Definitions: README.md in this folder. */
export const disk: Analyzer = {
  name: 'disk',
  sql: 'analyzers/disk/disk.sql',
  views: [
    {
      name: 'disk_drops',
      question: 'Which data was dropped before its time because the disk may hold no more?',
      description: 'One row per dropped partition. Empty where disk.capGiB is not set or was never reached.',
      parameters: [
        { name: 'from', type: 'DateTime', description: 'Drops from this time on.' },
        { name: 'to', type: 'DateTime', description: 'Drops before this time.' },
      ],
      columns: [
        { name: 'time', type: 'DateTime64(3)', unit: '', description: 'When it was dropped.' },
        { name: 'kind', type: 'LowCardinality(String)', unit: '', description: 'spans, profiles, rollups, records.' },
        { name: 'table', type: 'LowCardinality(String)', unit: '', description: 'Table it was dropped from.' },
        { name: 'first_day', type: 'Date', unit: '', description: 'First day that was dropped.' },
        { name: 'last_day', type: 'Date', unit: '', description: 'Last day that was dropped.' },
        { name: 'row_count', type: 'UInt64', unit: 'rows', description: 'Rows that went.' },
        { name: 'bytes', type: 'UInt64', unit: 'bytes', description: 'What they took on disk.' },
        { name: 'used_bytes', type: 'UInt64', unit: 'bytes', description: 'Tables and journal before the drop.' },
        { name: 'cap_bytes', type: 'UInt64', unit: 'bytes', description: 'The cap, from disk.capGiB.' },
        { name: 'text', type: 'String', unit: '', description: 'All of it in a sentence.' },
      ],
      countColumn: 'row_count',
      orderBy: ['time DESC', 'table'],
      source: null,
    },
  ],
};
