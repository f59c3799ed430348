/** Reads a body to bytes: Content-Encoding undone, the limit held after decompression. */
import { promisify } from 'node:util';
import { gunzip, type InputType, type ZlibOptions } from 'node:zlib';
import { HeliographError } from '../../core/errors.ts';

/** A body is at most this long after decompression and after rewriting. */
export const BODY_MAX_BYTES = 16 * 1024 * 1024;

interface Inflated {
  buffer: Buffer;
  engine: { bytesWritten: number };
}

const gunzipWithInfo = promisify(gunzip) as unknown as (
  input: InputType,
  options: ZlibOptions & { info: true },
) => Promise<Inflated>;

/**
 * The plain bytes of `raw`. Throws `unsupported_encoding`, `bad_encoding` (not gzip, cut short, or followed by bytes that
 * are not gzip) or `body_too_large`. Inflating stops at the limit, so a gzip bomb costs `maxBytes` at most.
 */
export async function decodeBody(
  raw: Buffer,
  encoding: string | undefined,
  maxBytes: number = BODY_MAX_BYTES,
): Promise<Buffer> {
  const name = (encoding ?? 'identity').trim().toLowerCase();
  if (name === 'identity' || name === '') return raw;
  if (name !== 'gzip')
    throw new HeliographError('unsupported_encoding', `Content-Encoding "${name.slice(0, 40)}" is not gzip`);
  const { buffer, engine } = await inflate(raw, maxBytes);
  if (engine.bytesWritten !== raw.length) {
    throw new HeliographError(
      'bad_encoding',
      `${raw.length - engine.bytesWritten} bytes follow the end of the gzip stream`,
    );
  }
  return buffer;
}

async function inflate(raw: Buffer, maxBytes: number): Promise<Inflated> {
  try {
    return await gunzipWithInfo(raw, { maxOutputLength: maxBytes, info: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new HeliographError('body_too_large', undefined, { cause: error });
    throw new HeliographError('bad_encoding', `gzip: ${message}`, { cause: error });
  }
}
