/** The tables of the Pipeline board about the disk. */
import { table } from '../../kit/panels.ts';
import { OF_NOW, ON_DISK } from './texts.ts';

export const tableBytes = () =>
  table({
    id: 20,
    width: 12,
    height: 11,
    title: 'Bytes per table',
    unit: 'none',
    description:
      'What each table of otel and heliograph takes on disk now, largest first, skip indexes in it and beside it. Per span: of tables made of spans, divided by the spans stored. Bad: indexes larger than half their table.',
    noValue: ON_DISK,
    query: {
      view: 'storage_tables',
      select: ['table AS name', 'bytes', 'index_bytes', 'rows', 'ratio', 'bytes_per_row', 'bytes_per_span'],
      where: [OF_NOW],
      orderBy: ['bytes DESC', 'name'],
      limit: 100,
    },
    columns: {
      name: { title: 'Table' },
      bytes: { title: 'On disk', unit: 'bytes', width: 90 },
      index_bytes: { title: 'Indexes', unit: 'bytes', width: 90 },
      rows: { title: 'Rows', unit: 'short', width: 80 },
      ratio: { title: 'Ratio', unit: 'short', width: 65, noValue: '–' },
      bytes_per_row: { title: 'A row', unit: 'bytes', width: 80 },
      bytes_per_span: { title: 'A span', unit: 'bytes', width: 80, noValue: '–' },
    },
  });

export const columnBytes = () =>
  table({
    id: 21,
    width: 12,
    height: 11,
    title: 'Bytes per column, the twenty largest',
    unit: 'none',
    description:
      'What columns take on disk now, compressed, in the parts in which the engine keeps columns apart; small parts do not. Bad: one attribute map that is most of its table; look for a value that differs in every span.',
    noValue:
      'No part is large enough yet (128 MiB of spans) that the engine keeps its columns apart, or the range ended more than an hour ago.',
    query: {
      view: 'storage_columns',
      select: ['column AS name', 'bytes', 'share', 'ratio', 'bytes_per_row', 'table AS of_table'],
      where: [OF_NOW],
      orderBy: ['bytes DESC', 'of_table', 'name'],
      limit: 20,
    },
    columns: {
      name: { title: 'Column' },
      bytes: { title: 'On disk', unit: 'bytes', width: 95 },
      share: { title: 'Of table', unit: 'percentunit', width: 85 },
      ratio: { title: 'Ratio', unit: 'short', width: 70 },
      bytes_per_row: { title: 'A row', unit: 'bytes', width: 85 },
      of_table: { title: 'Table', width: 150 },
    },
  });

export const diskDrops = () =>
  table({
    id: 23,
    width: 24,
    height: 5,
    title: 'Dropped before its time',
    unit: 'none',
    description:
      'Days of data that went because the disk may hold no more (`disk.capGiB`), newest first. What reached the end of its retention is not in it. Bad: a day that was still needed; raise the cap or shorten the retention of something else.',
    noValue: 'Nothing was dropped in this range, or no cap is set (`disk.capGiB`).',
    query: {
      view: 'disk_drops',
      select: ['time AS at', 'text AS what', 'kind', 'row_count AS rows', 'bytes'],
      orderBy: ['at DESC', 'what'],
      limit: 100,
    },
    columns: {
      at: { title: 'When', unit: 'dateTimeFromNow', width: 120 },
      what: { title: 'What', wrap: true },
      kind: { title: 'Kind', width: 90 },
      rows: { title: 'Rows', unit: 'short', width: 90 },
      bytes: { title: 'On disk', unit: 'bytes', width: 100 },
    },
  });
