/** What an OTLP sender gets back: a success, a partial success or an error's Status, in the form it sent. */
import type { BodyFormat, OtlpStatus } from '../../core/ports.ts';
import { REJECT_REASONS, type RejectReason } from './rejects.ts';

const RULES: Record<RejectReason, string> = {
  invalid_trace_id: 'with a trace_id that is not 16 bytes or is all zero',
  invalid_span_id: 'with a span_id that is not 8 bytes or is all zero',
  invalid_parent_span_id: 'with a parent_span_id that is neither empty nor 8 bytes',
  start_time_out_of_range: 'with a start_time_unix_nano older than the retention or more than an hour ahead',
};

const ID_MEND = 'send ids as raw bytes in protobuf and as hex in JSON, never as base64';

const MENDS: Record<RejectReason, string> = {
  invalid_trace_id: ID_MEND,
  invalid_span_id: ID_MEND,
  invalid_parent_span_id: ID_MEND,
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
 * An ExportTraceServiceResponse. Nothing to say is an empty message, since `partial_success` must be unset on a full success;
 * a message without rejected spans is a warning.
 */
export function encodeTraceResponse(rejectedSpans: number, message: string, format: BodyFormat): Uint8Array {
  const hasPartial = rejectedSpans !== 0 || message !== '';
  if (format === 'json') {
    // 64-bit integers are decimal strings in protobuf's JSON.
    const partialSuccess = { rejectedSpans: String(rejectedSpans), errorMessage: message };
    return Buffer.from(JSON.stringify(hasPartial ? { partialSuccess } : {}));
  }
  return hasPartial ? field(1, Buffer.concat([number(1, rejectedSpans), text(2, message)])) : new Uint8Array(0);
}

const TYPE_URL = 'type.googleapis.com/google.rpc.';

/** A google.rpc.Status with RetryInfo and BadRequest as far as there is something to say. */
export function encodeStatus(status: OtlpStatus, format: BodyFormat): Uint8Array {
  return format === 'json' ? Buffer.from(JSON.stringify(jsonStatus(status))) : protobufStatus(status);
}

function jsonStatus({ code, message, retryAfterSeconds, violation }: OtlpStatus): object {
  const details: object[] = [];
  if (retryAfterSeconds !== undefined)
    details.push({ '@type': `${TYPE_URL}RetryInfo`, retryDelay: `${retryAfterSeconds}s` });
  if (violation !== undefined) {
    const fieldViolations = [{ field: violation.field, description: violation.rule }];
    details.push({ '@type': `${TYPE_URL}BadRequest`, fieldViolations });
  }
  return details.length === 0 ? { code, message } : { code, message, details };
}

function protobufStatus({ code, message, retryAfterSeconds, violation }: OtlpStatus): Uint8Array {
  const parts = [number(1, code), text(2, message)];
  if (retryAfterSeconds !== undefined) {
    const duration = number(1, Math.ceil(retryAfterSeconds));
    parts.push(detail('RetryInfo', field(1, duration)));
  }
  if (violation !== undefined) {
    const fieldViolation = Buffer.concat([text(1, violation.field), text(2, violation.rule)]);
    parts.push(detail('BadRequest', field(1, fieldViolation)));
  }
  return Buffer.concat(parts);
}

/** A google.protobuf.Any in Status.details. */
function detail(type: string, payload: Buffer): Buffer {
  return field(3, Buffer.concat([text(1, TYPE_URL + type), field(2, payload)]));
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
