/** A bound on the bytes of an answer: the engine's own counts columns in memory, where a constant costs nothing however long. */
import { pipeline, type Readable, Transform } from 'node:stream';

/** `source` until `maxBytes` have come; then both are destroyed. `ended` is called once, whatever the end. */
export function limitBytes(source: Readable, maxBytes: number, ended: () => void): Readable {
  let bytes = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new Error(`the answer is over ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
  pipeline(source, limited, ended);
  return limited;
}
