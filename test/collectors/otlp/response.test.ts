import { expect, test } from 'vitest';
import { REJECT_REASONS } from '../../../collectors/otlp/rejects.ts';
import { encodeStatus, encodeTraceResponse, rejectMessage } from '../../../collectors/otlp/response.ts';
import { decodeStatus, decodeTraceResponse } from '../../support/otlp-decode.ts';

test('a full success is an empty message: partial_success must be unset', () => {
  expect(encodeTraceResponse(0, '').length).toBe(0);
});

test('a partial success carries count and message', () => {
  const message = 'größer als erlaubt '.repeat(20);
  for (const count of [1, 127, 128, 300, 2 ** 31, 2 ** 40]) {
    expect(decodeTraceResponse(encodeTraceResponse(count, message))).toEqual({
      rejectedSpans: count,
      errorMessage: message,
    });
  }
});

test('a message without rejected spans is a warning', () => {
  expect(decodeTraceResponse(encodeTraceResponse(0, 'w'))).toEqual({ rejectedSpans: 0, errorMessage: 'w' });
});

test('the bytes of a partial success and of a Status are the ones of the protobuf schema', () => {
  expect(Buffer.from(encodeTraceResponse(3, 'no')).toString('hex')).toBe('0a06080312026e6f');
  expect(Buffer.from(encodeStatus(3, 'bad')).toString('hex')).toBe('08031203626164');
  expect(decodeStatus(encodeStatus(14, 'retry'))).toEqual({ code: 14, message: 'retry' });
  expect(encodeStatus(0, '').length).toBe(0);
});

test('the reject message counts every reason and names a mend', () => {
  expect(rejectMessage({ invalid_trace_id: 2, invalid_span_id: 0, start_time_out_of_range: 1 })).toBe(
    '3 spans were rejected and must not be resent as they are: 2 with a trace_id that is not 16 bytes or is all zero ' +
      '(invalid_trace_id), 1 with a start_time_unix_nano older than the retention or more than an hour ahead ' +
      "(start_time_out_of_range); send ids as raw bytes, not as hex or base64 text, and check the sender's clock and " +
      'that times are Unix nanoseconds.',
  );
  for (const reason of REJECT_REASONS) expect(rejectMessage({ [reason]: 1 })).toMatch(`1 span was rejected`);
  expect(rejectMessage({ invalid_trace_id: 0 })).toBe('');
});
