/** How the face says no: ClickHouse's own exceptions, so that every client shows them as its own. */
import { EngineException } from '../embedded/exception.ts';

/** The text is not one statement that can be read. */
export function syntaxError(message: string): EngineException {
  return new EngineException(62, 'SYNTAX_ERROR', message);
}

/** A statement, clause, function or table that a reader may not use. */
export function denied(message: string): EngineException {
  return new EngineException(497, 'ACCESS_DENIED', `${message} (the read-only face)`);
}

/** A form of request that is not served. */
export function notServed(message: string): EngineException {
  return new EngineException(48, 'NOT_IMPLEMENTED', `${message} is not served by the read-only face`);
}
