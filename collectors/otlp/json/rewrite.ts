/** OTLP/JSON bodies into the flat protobuf that the journal holds. */
import { HeliographError } from '../../../core/errors.ts';
import { ByteWriter } from '../byte-writer.ts';
import { ANY_TIME, flattenTraces } from '../flatten.ts';
import { TraceWalker } from '../walker.ts';
import { FramingError } from '../wire.ts';
import { JsonEncoder } from './encoder.ts';
import { JsonError } from './errors.ts';
import { pathAt } from './path.ts';

/**
 * Rewrites a JSON ExportTraceServiceRequest to flat protobuf: what `flattenTraces` makes of the same message sent as
 * protobuf. Throws HeliographError: `bad_request` with field and rule, `body_too_large` when the result would pass `maxBytes`.
 */
export function rewriteJsonTraces(bytes: Uint8Array, maxBytes: number): Uint8Array {
  // Protobuf is the shorter of the two, so the writer hardly ever grows.
  const out = new ByteWriter(bytes.length + 64, maxBytes);
  try {
    new JsonEncoder(bytes, out).request();
  } catch (error) {
    if (error instanceof JsonError) throw refusal(pathAt(bytes, error.offset), error);
    throw error;
  }
  const encoded = out.finish();
  return isFlat(encoded) ? encoded : flattenTraces(encoded, maxBytes);
}

function isFlat(encoded: Uint8Array): boolean {
  const walker = new TraceWalker(encoded, ANY_TIME);
  try {
    walker.request();
  } catch (error) {
    // Framing is our own; what is left are the bounds on how much a body may hold.
    if (error instanceof FramingError) throw refusal('', new JsonError(0, error.rule));
    throw error;
  }
  return !walker.needsRewrite;
}

function refusal(path: string, { rule, offset, message }: JsonError): HeliographError {
  const field = path === '' ? 'the body' : path;
  return new HeliographError('bad_request', `${field}: ${rule} (at byte ${offset})`, {
    cause: message,
    violation: { field: path === '' ? 'body' : path, rule },
  });
}
