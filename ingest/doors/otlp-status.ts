/** Errors as every OTLP door tells them. */
import type { HeliographError } from '../../core/errors.ts';
import type { OtlpStatus } from '../../core/ports.ts';

/** Where the error does not say when a retry is sensible. */
const RETRY_AFTER_SECONDS = 1;

/** Seconds for `Retry-After` and RetryInfo; undefined where a retry is not sensible at all. */
export function retryAfterOf(error: HeliographError): number | undefined {
  return error.entry.retryable ? (error.retryAfterSeconds ?? RETRY_AFTER_SECONDS) : undefined;
}

/** The google.rpc.Status of an error. Bad data always says what is bad about it, if only that the whole body is. */
export function statusOf(error: HeliographError): OtlpStatus {
  const { entry, message } = error;
  const isBadData = entry.http === 400;
  return {
    code: entry.grpc,
    message,
    retryAfterSeconds: retryAfterOf(error),
    violation: error.violation ?? (isBadData ? { field: 'body', rule: message } : undefined),
  };
}
