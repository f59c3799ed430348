/** Worker thread of the slow lane: rewrites one body at a time to flat protobuf. */
import { parentPort } from 'node:worker_threads';
import { REWRITERS } from '../../collectors/index.ts';
import { HeliographError } from '../../core/errors.ts';
import { BODY_MAX_BYTES } from '../../ingest/doors/body.ts';
import type { RewriteJob, RewriteResult } from '../../ingest/doors/slow-lane.ts';

const port = parentPort;
if (port === null) throw new Error('this module runs as a worker thread');

port.on('message', (job: RewriteJob) => {
  const result = rewrite(job);
  port.postMessage(result, 'bytes' in result ? [result.bytes.buffer] : []);
});

function rewrite({ id, signal, format, bytes }: RewriteJob): RewriteResult {
  try {
    const rewriter = REWRITERS[signal]?.[format];
    if (rewriter === undefined) throw new HeliographError('internal', `no rewriter for ${format} of signal ${signal}`);
    // Copied once more: the rewriter may hand out part of a larger buffer, and only whole buffers can be transferred.
    return { id, bytes: Uint8Array.from(rewriter(bytes, BODY_MAX_BYTES)) };
  } catch (error) {
    const { code, message, violation } =
      error instanceof HeliographError ? error : new HeliographError('internal', (error as Error).message);
    return { id, error: { code, message, violation } };
  }
}
