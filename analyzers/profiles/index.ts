import type { Analyzer, ViewColumn, ViewParameter } from '../types.ts';

const WINDOW: readonly ViewParameter[] = [
  { name: 'from', type: 'DateTime', description: 'Start of the window, inclusive.' },
  { name: 'to', type: 'DateTime', description: 'End of the window, exclusive.' },
];
const SERVICE: ViewColumn = { name: 'service', type: 'String', unit: '', description: 'Service of the target.' };

/** Where time, memory and goroutines are. Definitions and known bias: README.md in this folder. */
export const profiles: Analyzer = {
  name: 'profiles',
  sql: 'analyzers/profiles/profiles.sql',
  views: [
    {
      name: 'stacks',
      question: 'What is a stack made of?',
      description: 'Every stack that is kept, once.',
      parameters: [],
      columns: [
        SERVICE,
        { name: 'stack', type: 'String', unit: '', description: 'Hash over the functions, 32 lower hex digits.' },
        {
          name: 'function',
          type: 'String',
          unit: '',
          description: 'First frame from the leaf that is not Go’s own machinery for waiting.',
        },
        { name: 'location', type: 'String', unit: '', description: 'file:line of that frame, as last seen.' },
        { name: 'functions', type: 'Array(String)', unit: '', description: 'Every frame, root first.' },
        { name: 'locations', type: 'Array(String)', unit: '', description: 'file:line beside each, as last seen.' },
        { name: 'last_seen', type: 'DateTime', unit: '', description: 'A time on the last day it was seen.' },
      ],
      source: 'targets',
    },
    {
      name: 'profile_types',
      question: 'Which profiles are there?',
      description: 'One row per target, profile and sample type.',
      parameters: WINDOW,
      columns: [
        SERVICE,
        { name: 'target', type: 'String', unit: '', description: 'Name of the target.' },
        { name: 'profile', type: 'String', unit: '', description: 'cpu or wall, goroutine, heap.' },
        { name: 'sample_type', type: 'String', unit: '', description: 'What a value of the profile counts.' },
        { name: 'unit', type: 'String', unit: '', description: 'Unit of the total, as the profile names it.' },
        { name: 'profiles', type: 'UInt64', unit: 'profiles', description: 'Profiles in the window.' },
        {
          name: 'total',
          type: 'Float64',
          unit: 'its own',
          description: 'Sum over the profiles; for levels (goroutine, heap) the mean of the profiles.',
        },
      ],
      countColumn: 'profiles',
      orderBy: ['service', 'target', 'profile', 'sample_type'],
      source: 'targets',
    },
    {
      name: 'flame_graph',
      question: 'Which calls is it spent in?',
      description:
        'All profiles of the window as one tree, depth first, parents before their children; nodes below a thousandth of the whole are left out.',
      parameters: [
        ...WINDOW,
        { name: 'service', type: 'String', description: 'Service of the targets.' },
        { name: 'target', type: 'String', description: 'One target; empty for all of the service.', default: '' },
        { name: 'profile', type: 'String', description: 'As in profile_types.', default: 'cpu' },
        { name: 'sample_type', type: 'String', description: 'As in profile_types.', default: 'cpu' },
      ],
      columns: [
        { name: 'level', type: 'UInt16', unit: '', description: 'Depth; the one root has 0.' },
        {
          name: 'value',
          type: 'Float64',
          unit: 'that of the sample type',
          description: 'Of the node and all below it, the left out ones included.',
        },
        { name: 'self', type: 'Float64', unit: 'that of the sample type', description: 'Of the node alone.' },
        { name: 'label', type: 'String', unit: '', description: 'Function; total for the root.' },
      ],
      source: 'targets',
    },
  ],
};
