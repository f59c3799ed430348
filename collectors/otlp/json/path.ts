/** Says where in a JSON text a byte lies, in the words of its sender. Only errors ask, so it costs nothing to others. */
import { BACKSLASH, CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './bytes.ts';

/** A path longer than this is cut: a sender that nests so deep knows where. */
const MAX_STEPS = 40;
const MAX_KEY_BYTES = 64;

interface Step {
  /** Position of the key's first byte; -1 in an array and before a first key. */
  keyAt: number;
  keyEnd: number;
  /** -1 in an object. */
  index: number;
}

/** `resourceSpans[0].scopeSpans[2].spans[7].kind`; '' at the top. The text before `offset` is known to be JSON. */
export function pathAt(bytes: Uint8Array, offset: number): string {
  const steps: Step[] = [];
  let keyAt = -1;
  let keyEnd = -1;
  for (let p = 0; p < offset && p < bytes.length; p++) {
    const byte = bytes[p];
    const top = steps[steps.length - 1];
    if (byte === QUOTE) {
      keyAt = p + 1;
      p = endOfString(bytes, keyAt, offset);
      keyEnd = p;
    } else if (byte === OPEN_BRACE) steps.push({ keyAt: -1, keyEnd: -1, index: -1 });
    else if (byte === OPEN_BRACKET) steps.push({ keyAt: -1, keyEnd: -1, index: 0 });
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) steps.pop();
    else if (byte === COLON && top !== undefined) {
      top.keyAt = keyAt;
      top.keyEnd = keyEnd;
    } else if (byte === COMMA && top !== undefined) {
      top.keyAt = -1;
      if (top.index >= 0) top.index += 1;
    }
  }
  const shown = steps.slice(0, MAX_STEPS).map((step) => stepText(bytes, step));
  return shown.join('').replace(/^\./, '') + (steps.length > MAX_STEPS ? '…' : '');
}

function endOfString(bytes: Uint8Array, from: number, end: number): number {
  let p = from;
  while (p < end && bytes[p] !== QUOTE) p += bytes[p] === BACKSLASH ? 2 : 1;
  return p;
}

function stepText(bytes: Uint8Array, { keyAt, keyEnd, index }: Step): string {
  if (index >= 0) return `[${index}]`;
  if (keyAt < 0) return '';
  const key = bytes.subarray(keyAt, Math.min(keyEnd, keyAt + MAX_KEY_BYTES));
  return `.${Buffer.from(key).toString('utf8')}`;
}
