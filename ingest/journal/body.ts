import { HeliographError } from '../../core/errors.ts';
import type { SegmentFormat } from '../../core/ports.ts';

const NEWLINE = 0x0a;

/** Why these bytes cannot lie in a segment beside others, or null: they have to fit, and NDJSON has to end its last line. */
export function checkBody(bytes: Uint8Array, format: SegmentFormat, maxBytes: number): HeliographError | null {
  const length = bytes.byteLength;
  if (length > maxBytes) {
    return new HeliographError('body_too_large', `A body may hold ${maxBytes} bytes; this one has ${length}.`);
  }
  if (format === 'ndjson' && bytes[length - 1] !== NEWLINE) {
    return new HeliographError('bad_request', 'An NDJSON body must end with a newline: the next body follows it.');
  }
  return null;
}
