import { flattenTraces } from '../../../collectors/otlp/flatten.ts';
import { walkTraces } from '../../../collectors/otlp/walk.ts';
import { type CaseInput, type CaseResult, runCases } from '../../support/cases.ts';
import { decodeFlat, rejectReason } from '../../support/otlp-decode.ts';
import { encodeRequest, type RequestInput } from '../../support/otlp-encode.ts';

const NOW_NS = 1_790_000_000_000_000_000n; // 2026-09-21T14:13:20Z
const HOUR_NS = 3_600_000_000_000n;
const BOUNDS = { loNs: NOW_NS - 14n * 24n * HOUR_NS, hiNs: NOW_NS + HOUR_NS };

/** Strings come from the decoder with one character per byte. */
function asUtf8<T>(value: T): T {
  if (typeof value === 'string') return Buffer.from(value, 'latin1').toString('utf8') as T;
  if (Array.isArray(value)) return value.map(asUtf8) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asUtf8(item)])) as T;
}

/** The spans that the engine's view keeps, and what the door answers about the others. */
function decode(input: CaseInput): CaseResult {
  const body = input.format === 'hex' ? input.bytes : encodeRequest(input.value as RequestInput);
  const walk = walkTraces(body, BOUNDS);
  if (!walk.ok) return { expected: [], rejects: [walk] };
  const flat = walk.needsRewrite ? flattenTraces(body, 1 << 24) : body;
  const expected = decodeFlat(flat).filter((span) => rejectReason(span, BOUNDS) === '');
  const rejects = Object.entries(walk.rejected).filter(([, count]) => count > 0);
  return { expected: asUtf8(expected), rejects: rejects.map(([reason, count]) => ({ reason, count })) };
}

runCases('test/collectors/otlp/cases', decode);
