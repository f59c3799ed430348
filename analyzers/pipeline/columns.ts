/** Parameters and columns that the views of the pipeline share. */
import type { ViewColumn, ViewParameter } from '../types.ts';

export const WINDOW: readonly ViewParameter[] = [
  { name: 'from', type: 'DateTime', description: 'Start of the window; the minute that holds it is included.' },
  {
    name: 'to',
    type: 'DateTime',
    description: 'End of the window; the last minute that starts before it is included.',
  },
];
export const STEP: ViewParameter = {
  name: 'step',
  type: 'UInt32',
  description: 'Seconds per row, raised to a multiple of 60.',
};

export const TIME: ViewColumn = { name: 'time', type: 'DateTime', unit: '', description: 'Start of the step, UTC.' };
export const FORM: ViewColumn = {
  name: 'form',
  type: 'String',
  unit: '',
  description: 'grpc, http/protobuf or http/json.',
};

export const count = (name: string, unit: string, description: string): ViewColumn => ({
  name,
  type: 'UInt64',
  unit,
  description,
});
export const rate = (name: string, description: string): ViewColumn => ({
  name,
  type: 'Float64',
  unit: '1/s',
  description,
});
export const share = (name: string, description: string): ViewColumn => ({
  name,
  type: 'Nullable(Float64)',
  unit: 'ratio',
  description,
});

/** Of rejects and refusals: why, and what to change. */
export const LAST_SEEN: ViewColumn = {
  name: 'last_seen',
  type: 'Nullable(DateTime)',
  unit: '',
  description: 'Last minute of the step with this reason; NULL where there was none.',
};
export const MEND: ViewColumn = { name: 'mend', type: 'String', unit: '', description: 'What to change.' };
