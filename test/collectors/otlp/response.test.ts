import { expect, test } from 'vitest';
import { REJECT_REASONS } from '../../../collectors/otlp/rejects.ts';
import { encodeStatus, encodeTraceResponse, rejectMessage } from '../../../collectors/otlp/response.ts';
import { decodeStatus, decodeTraceResponse, statusDetails } from '../../support/otlp-decode.ts';

test('a full success is an empty message: partial_success must be unset', () => {
  expect(encodeTraceResponse(0, '', 'protobuf').length).toBe(0);
});

test('a partial success carries count and message', () => {
  const message = 'größer als erlaubt '.repeat(20);
  for (const count of [1, 127, 128, 300, 2 ** 31, 2 ** 40]) {
    expect(decodeTraceResponse(encodeTraceResponse(count, message, 'protobuf'))).toEqual({
      rejectedSpans: count,
      errorMessage: message,
    });
  }
});

test('a message without rejected spans is a warning', () => {
  expect(decodeTraceResponse(encodeTraceResponse(0, 'w', 'protobuf'))).toEqual({ rejectedSpans: 0, errorMessage: 'w' });
});

test('the bytes of a partial success and of a Status are the ones of the protobuf schema', () => {
  expect(Buffer.from(encodeTraceResponse(3, 'no', 'protobuf')).toString('hex')).toBe('0a06080312026e6f');
  expect(Buffer.from(encodeStatus({ code: 3, message: 'bad' }, 'protobuf')).toString('hex')).toBe('08031203626164');
  expect(decodeStatus(encodeStatus({ code: 14, message: 'retry' }, 'protobuf'))).toEqual({
    code: 14,
    message: 'retry',
  });
  expect(encodeStatus({ code: 0, message: '' }, 'protobuf').length).toBe(0);
});

test('details are Any messages of the types that clients look for', () => {
  const status = { code: 14, message: 'm', retryAfterSeconds: 7, violation: { field: 'f', rule: 'r' } };
  const [retryInfo, badRequest] = statusDetails(encodeStatus(status, 'protobuf'));
  expect(retryInfo).toEqual({ type: 'type.googleapis.com/google.rpc.RetryInfo', hex: '0a020807' });
  expect(badRequest).toEqual({ type: 'type.googleapis.com/google.rpc.BadRequest', hex: '0a060a016612' + '0172' });
});

test('JSON is protobuf’s JSON: lowerCamelCase, 64-bit integers and durations as text, details by their type', () => {
  const json = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString('utf8'));
  expect(json(encodeTraceResponse(0, '', 'json'))).toEqual({});
  expect(json(encodeTraceResponse(2, 'no', 'json'))).toEqual({
    partialSuccess: { rejectedSpans: '2', errorMessage: 'no' },
  });
  expect(json(encodeStatus({ code: 3, message: 'bad' }, 'json'))).toEqual({ code: 3, message: 'bad' });
  const status = { code: 14, message: 'm', retryAfterSeconds: 7, violation: { field: 'f', rule: 'r' } };
  expect(json(encodeStatus(status, 'json'))).toEqual({
    code: 14,
    message: 'm',
    details: [
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' },
      {
        '@type': 'type.googleapis.com/google.rpc.BadRequest',
        fieldViolations: [{ field: 'f', description: 'r' }],
      },
    ],
  });
});

test('the reject message counts every reason and names a mend', () => {
  expect(rejectMessage({ invalid_trace_id: 2, invalid_span_id: 0, start_time_out_of_range: 1 })).toBe(
    '3 spans were rejected and must not be resent as they are: 2 with a trace_id that is not 16 bytes or is all zero ' +
      '(invalid_trace_id), 1 with a start_time_unix_nano older than the retention or more than an hour ahead ' +
      "(start_time_out_of_range); send ids as raw bytes in protobuf and as hex in JSON, never as base64, and check the sender's clock and " +
      'that times are Unix nanoseconds.',
  );
  for (const reason of REJECT_REASONS) expect(rejectMessage({ [reason]: 1 })).toMatch(`1 span was rejected`);
  expect(rejectMessage({ invalid_trace_id: 0 })).toBe('');
});
