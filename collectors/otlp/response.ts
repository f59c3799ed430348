/** What an OTLP sender gets back: the protobuf of a success, a partial success, or an error's Status. */
import { REJECT_REASONS, type RejectReason } from './rejects.ts';

const RULES: Record<RejectReason, string> = {
  invalid_trace_id: 'with a trace_id that is not 16 bytes or is all zero',
  invalid_span_id: 'with a span_id that is not 8 bytes or is all zero',
  invalid_parent_span_id: 'with a parent_span_id that is neither empty nor 8 bytes',
  start_time_out_of_range: 'with a start_time_unix_nano older than the retention or more than an hour ahead',
};

const MENDS: Record<RejectReason, string> = {
  invalid_trace_id: 'send ids as raw bytes, not as hex or base64 text',
  invalid_span_id: 'send ids as raw bytes, not as hex or base64 text',
  invalid_parent_span_id: 'send ids as raw bytes, not as hex or base64 text',
  start_time_out_of_range: "check the sender's clock and that times are Unix nanoseconds",
};

/**
 * One sentence for `partial_success.error_message`: how many spans were rejected, by which rules, and the mend; '' when
 * none were. `rejected` holds counts by reason; reasons that are not of this signal are left out.
 */
export function rejectMessage(rejected: Readonly<Record<string, number>>): string {
  const reasons = REJECT_REASONS.filter((reason) => (rejected[reason] ?? 0) > 0);
  if (reasons.length === 0) return '';
  const total = reasons.reduce((sum, reason) => sum + (rejected[reason] ?? 0), 0);
  const counts = reasons.map((reason) => `${rejected[reason]} ${RULES[reason]} (${reason})`).join(', ');
  const mends = [...new Set(reasons.map((reason) => MENDS[reason]))].join(', and ');
  return `${total} ${total === 1 ? 'span was' : 'spans were'} rejected and must not be resent as they are: ${counts}; ${mends}.`;
}

/**
 * A serialized ExportTraceServiceResponse. Nothing to say is no bytes, since `partial_success` must be unset on a full
 * success; a message without rejected spans is a warning.
 */
export function encodeTraceResponse(rejectedSpans: number, message: string): Uint8Array {
  if (rejectedSpans === 0 && message === '') return new Uint8Array(0);
  return field(1, Buffer.concat([number(1, rejectedSpans), text(2, message)]));
}

/** A serialized google.rpc.Status: `code` of google.rpc.Code, `message` for the sender's developer. */
export function encodeStatus(code: number, message: string): Uint8Array {
  return Buffer.concat([number(1, code), text(2, message)]);
}

function number(tagNumber: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.from([tagNumber << 3, ...varint(value)]);
}

function text(tagNumber: number, value: string): Buffer {
  return value === '' ? Buffer.alloc(0) : field(tagNumber, Buffer.from(value));
}

function field(tagNumber: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(tagNumber << 3) | 2, ...varint(payload.length)]), payload]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}
