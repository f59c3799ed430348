import type { Analyzer, ViewColumn } from '../types.ts';

const DATABASE: ViewColumn = { name: 'database', type: 'String', unit: '', description: 'otel or heliograph.' };
const TABLE: ViewColumn = { name: 'table', type: 'String', unit: '', description: 'Its name there.' };
const BYTES_PER_ROW: ViewColumn = {
  name: 'bytes_per_row',
  type: 'Float64',
  unit: 'bytes',
  description: 'bytes / rows.',
};

/** What the tables take on disk. Definitions and known bias: README.md in this folder. */
export const tables: Analyzer = {
  name: 'tables',
  sql: 'analyzers/tables/tables.sql',
  views: [
    {
      name: 'storage_tables',
      question: 'What does each table take on disk now, and what does a span?',
      description: 'One row per table that holds rows; the tables about people are left out.',
      parameters: [],
      columns: [
        DATABASE,
        TABLE,
        {
          name: 'rows',
          type: 'UInt64',
          unit: 'rows',
          description: 'Rows stored, those that a merge will drop included.',
        },
        { name: 'parts', type: 'UInt64', unit: 'parts', description: 'Active parts.' },
        {
          name: 'bytes',
          type: 'UInt64',
          unit: 'bytes',
          description: 'On disk: columns, indexes, marks and checksums.',
        },
        {
          name: 'uncompressed_bytes',
          type: 'UInt64',
          unit: 'bytes',
          description: 'Of the columns before compression.',
        },
        {
          name: 'ratio',
          type: 'Nullable(Float64)',
          unit: 'ratio',
          description: 'uncompressed_bytes / compressed bytes of the columns; NULL where those are unknown.',
        },
        BYTES_PER_ROW,
        { name: 'index_bytes', type: 'UInt64', unit: 'bytes', description: 'Of the skip indexes; in bytes, too.' },
        {
          name: 'bytes_per_span',
          type: 'Nullable(Float64)',
          unit: 'bytes',
          description:
            'bytes / spans stored, of a table made of spans; their sum is what a span takes. NULL for others.',
        },
      ],
      countColumn: 'rows',
      orderBy: ['bytes DESC', 'database', 'table'],
      source: null,
    },
    {
      name: 'storage_columns',
      question: 'What does each column take on disk now?',
      description: 'One row per column of tables with wide parts; columns about people are left out.',
      parameters: [],
      columns: [
        DATABASE,
        TABLE,
        { name: 'column', type: 'String', unit: '', description: 'Its name there.' },
        { name: 'type', type: 'String', unit: '', description: 'Its type in the engine.' },
        {
          name: 'rows',
          type: 'UInt64',
          unit: 'rows',
          description: 'Rows of the parts in which columns are kept apart.',
        },
        { name: 'bytes', type: 'UInt64', unit: 'bytes', description: 'Compressed, in those parts.' },
        { name: 'uncompressed_bytes', type: 'UInt64', unit: 'bytes', description: 'Before compression.' },
        { name: 'ratio', type: 'Float64', unit: 'ratio', description: 'uncompressed_bytes / bytes.' },
        BYTES_PER_ROW,
        { name: 'share', type: 'Float64', unit: 'ratio', description: 'bytes of all columns of the table.' },
      ],
      countColumn: 'rows',
      orderBy: ['bytes DESC', 'database', 'table', 'column'],
      source: null,
    },
  ],
};
