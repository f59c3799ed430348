/** Why a span is not stored, in the order the rules are tried: a span is counted under the first that it breaks. */
export const REJECT_REASONS = [
  'invalid_trace_id',
  'invalid_span_id',
  'invalid_parent_span_id',
  'start_time_out_of_range',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];
