/**
 * The answer to a Go client's hello, in Native. Such a client decodes the hello at the revision it asks for and everything behind
 * it at the revision the hello returns. The engine writes revision 0 where no revision is asked for, so 0 is what is returned,
 * whatever the engine's own `revision()` says.
 */

export interface HelloFacts {
  displayName: string;
  version: string;
  timezone: string;
}

/** Revisions of the protocol from which on a block begins with its info, and a column with a serialization flag. */
const BLOCK_INFO = 1;
const CUSTOM_SERIALIZATION = 54_454;

const INFO = Buffer.from([1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0]); // is_overflows 0, bucket_num -1, end

/** One Native block of one row at the client's `client_protocol_version` (0 where it sent none). */
export function helloBlock(facts: HelloFacts, revision: number): Buffer {
  const flag = revision >= CUSTOM_SERIALIZATION ? [Buffer.from([0])] : [];
  const column = (name: string, type: string, value: Buffer): Buffer =>
    Buffer.concat([text(name), text(type), ...flag, value]);
  return Buffer.concat([
    ...(revision >= BLOCK_INFO ? [INFO] : []),
    Buffer.from([4, 1]), // columns, rows
    column('displayName()', 'String', text(facts.displayName)),
    column('version()', 'String', text(facts.version)),
    column('revision()', 'UInt32', Buffer.alloc(4)),
    column('timezone()', 'String', text(facts.timezone)),
  ]);
}

/** Length as a varint, then the bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length: number[] = [];
  let rest = bytes.length;
  while (rest > 127) {
    length.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
