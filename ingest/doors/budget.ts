/** How many bytes of bodies may be in memory at once at a door that reads a body before it knows its sender. */
import type { ServerResponse } from 'node:http';
import { HeliographError } from '../../core/errors.ts';

export interface BodyBudget {
  /** Takes the announced length until the response is over, however it ends. Throws `too_busy` when there is no room. */
  reserve(contentLength: string | undefined, response: ServerResponse): void;
}

/** `maxBodyBytes` is taken for a body that does not announce its length. */
export function createBodyBudget(totalBytes: number, maxBodyBytes: number): BodyBudget {
  let free = totalBytes;
  return {
    reserve(contentLength, response) {
      const announced = contentLength === undefined ? maxBodyBytes : Number(contentLength);
      const bytes = Math.min(Number.isFinite(announced) ? announced : maxBodyBytes, maxBodyBytes);
      if (bytes > free)
        throw new HeliographError('too_busy', 'too many large bodies at once', { retryAfterSeconds: 1 });
      free -= bytes;
      response.once('close', () => {
        free += bytes;
      });
    },
  };
}
