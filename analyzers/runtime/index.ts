import type { Analyzer, ViewColumn, ViewParameter } from '../types.ts';

const PARAMETERS: readonly ViewParameter[] = [
  { name: 'from', type: 'DateTime', description: 'Start of the window, inclusive.' },
  { name: 'to', type: 'DateTime', description: 'End of the window, exclusive.' },
  { name: 'step', type: 'UInt32', description: 'Seconds per row.' },
];

const TARGET: readonly ViewColumn[] = [
  { name: 'time', type: 'DateTime', unit: '', description: 'Start of the step, UTC.' },
  { name: 'service', type: 'String', unit: '', description: 'Service of the target.' },
  { name: 'target', type: 'String', unit: '', description: 'Name of the target.' },
];

/** A figure of runtime.MemStats: the largest of the step. */
const largest = (name: string, unit: string, description: string): ViewColumn => ({
  name,
  type: 'Nullable(UInt64)',
  unit,
  description: `${description}: the largest of the step.`,
});

const RUNTIME: readonly ViewColumn[] = [
  largest('heap_alloc_bytes', 'bytes', 'MemStats.HeapAlloc, bytes of heap objects'),
  largest('heap_inuse_bytes', 'bytes', 'MemStats.HeapInuse, bytes of spans in use'),
  largest('heap_sys_bytes', 'bytes', 'MemStats.HeapSys, bytes of heap obtained from the system'),
  largest('heap_objects', 'objects', 'MemStats.HeapObjects'),
  largest('next_gc_bytes', 'bytes', 'MemStats.NextGC, heap size the collector aims at'),
  largest('stack_inuse_bytes', 'bytes', 'MemStats.StackInuse'),
  largest('sys_bytes', 'bytes', 'MemStats.Sys, all that was obtained from the system'),
  {
    name: 'alloc_rate_bytes',
    type: 'Nullable(Float64)',
    unit: 'bytes/s',
    description: 'Growth of MemStats.TotalAlloc over the seconds it was measured in; NULL where unknown.',
  },
  { name: 'gc_cycles', type: 'Nullable(Int64)', unit: 'cycles', description: 'Garbage collections; NULL if unknown.' },
  {
    name: 'gc_forced_cycles',
    type: 'Nullable(Int64)',
    unit: 'cycles',
    description: 'Those that the program asked for; NULL if unknown.',
  },
  {
    name: 'gc_pause_ms',
    type: 'Nullable(Float64)',
    unit: 'ms',
    description: 'Time the world stood still, summed over the collections; NULL if unknown.',
  },
  {
    name: 'gc_pause_max_ms',
    type: 'Nullable(Float64)',
    unit: 'ms',
    description: 'Longest pause of one collection; NULL where none is known.',
  },
  {
    name: 'last_gc',
    type: 'Nullable(DateTime64(9))',
    unit: '',
    description: 'End of the newest collection; NULL before the first.',
  },
  {
    name: 'gc_cpu_fraction',
    type: 'Nullable(Float64)',
    unit: 'ratio',
    description: 'Share of the process’s CPU taken by the collector since it started; the last of the step.',
  },
  { name: 'scrapes', type: 'UInt64', unit: 'scrapes', description: 'Scrapes of /debug/vars in the step.' },
];

/** Goroutines, memory and garbage collection. Definitions and known bias: README.md in this folder. */
export const runtime: Analyzer = {
  name: 'runtime',
  sql: 'analyzers/runtime/runtime.sql',
  views: [
    {
      name: 'goroutines',
      question: 'How many goroutines does each target have?',
      description: 'One row per step and target. No row where no profile was read.',
      parameters: PARAMETERS,
      columns: [
        ...TARGET,
        { name: 'goroutines', type: 'Int64', unit: 'goroutines', description: 'Most in a poll of the step.' },
        { name: 'goroutines_min', type: 'Int64', unit: 'goroutines', description: 'Least in a poll of the step.' },
        { name: 'polls', type: 'UInt64', unit: 'polls', description: 'Goroutine profiles read in the step.' },
      ],
      countColumn: 'polls',
      source: 'targets',
    },
    {
      name: 'goroutine_stacks',
      question: 'Where do the goroutines of each target stand?',
      description: 'One row per step, target and stack that was seen in the step.',
      parameters: PARAMETERS,
      columns: [
        ...TARGET,
        { name: 'stack', type: 'String', unit: '', description: 'Hash over the functions, 32 lower hex digits.' },
        {
          name: 'function',
          type: 'String',
          unit: '',
          description: 'First frame from the leaf that is not Go’s own machinery for waiting.',
        },
        { name: 'goroutines', type: 'Int64', unit: 'goroutines', description: 'Most in a poll of the step.' },
        {
          name: 'goroutines_min',
          type: 'Int64',
          unit: 'goroutines',
          description: 'Least in a poll of the step; 0 where a poll did not show the stack.',
        },
      ],
      source: 'targets',
    },
    {
      name: 'runtime',
      question: 'How hard do allocation and garbage collection press each target?',
      description: 'One row per step and target that was scraped in the step.',
      parameters: PARAMETERS,
      columns: [...TARGET, ...RUNTIME],
      countColumn: 'scrapes',
      source: 'targets',
    },
    {
      name: 'expvars',
      question: 'What do the targets publish of their own?',
      description: 'One row per step, target and numeric variable of /debug/vars.',
      parameters: PARAMETERS,
      columns: [
        ...TARGET,
        { name: 'name', type: 'String', unit: '', description: 'Nested names joined by dots.' },
        { name: 'value', type: 'Float64', unit: 'its own', description: 'Last value of the step.' },
      ],
      source: 'targets',
    },
  ],
};
