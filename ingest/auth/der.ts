/** A reader of DER (X.690), as much of it as certificates, revocation lists and OCSP answers need. Bounds are always held. */

/** One value: its tag octet, its content, and the whole of it with tag and length. */
export interface Der {
  tag: number;
  content: Uint8Array;
  whole: Uint8Array;
}

export const TAG = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OID: 0x06,
  ENUMERATED: 0x0a,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
} as const;

/** The first value of `bytes`; what follows it is left alone. Throws RangeError where it is cut short or not DER. */
export function readDer(bytes: Uint8Array): Der {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new RangeError('not DER');
  let [length, head] = [first, 2];
  if (first >= 0x80) {
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) throw new RangeError('not DER');
    head += octets;
    length = 0;
    for (let at = 2; at < head; at++) length = length * 256 + (bytes[at] ?? Number.NaN);
  }
  if (!(head + length <= bytes.length)) throw new RangeError('DER is cut short');
  return { tag, content: bytes.subarray(head, head + length), whole: bytes.subarray(0, head + length) };
}

/** The values inside a constructed one, in order. */
export function children({ content }: Der): Der[] {
  const found: Der[] = [];
  for (let at = 0; at < content.length; ) {
    const child = readDer(content.subarray(at));
    found.push(child);
    at += child.whole.length;
  }
  return found;
}

/** The child at `index`. Throws RangeError where there is none, or none with that tag. */
export function child(parent: Der, index: number, tag?: number): Der {
  return expectTag(children(parent)[index], tag);
}

export function expectTag(value: Der | undefined, tag?: number): Der {
  if (value === undefined || (tag !== undefined && value.tag !== tag)) throw new RangeError('not the expected DER');
  return value;
}

/** `1.3.6.1.5.5.7.48.1.1` of an OID's content. */
export function oidText({ content }: Der): string {
  const parts: number[] = [];
  let value = 0;
  for (const octet of content) {
    value = value * 128 + (octet & 0x7f);
    if ((octet & 0x80) !== 0) continue;
    if (parts.length === 0)
      parts.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    else parts.push(value);
    value = 0;
  }
  return parts.join('.');
}

/** Unix ms of a UTCTime or GeneralizedTime in the one form that DER allows (seconds, Z). Throws RangeError otherwise. */
export function timeMs({ tag, content }: Der): number {
  const text = Buffer.from(content).toString('latin1');
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  const [, year = '', month, day, hour, minute, second] = match ?? [];
  if (match === null || year.length !== (tag === TAG.UTC_TIME ? 2 : 4)) throw new RangeError('not a time of DER');
  const full = year.length === 4 ? year : `${Number(year) < 50 ? '20' : '19'}${year}`;
  return Date.parse(`${full}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Bits of a BIT STRING whose length is whole octets. */
export function bitOctets({ content }: Der): Uint8Array {
  if (content[0] !== 0) throw new RangeError('not whole octets');
  return content.subarray(1);
}

/** Lower hex of an INTEGER without leading zeroes, so that the same serial number is the same text everywhere. */
export function integerHex({ content }: Der): string {
  return Buffer.from(content)
    .toString('hex')
    .replace(/^(00)+(?=..)/, '');
}

/** A value of `tag` around `parts`. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}
