/** The engine's exceptions as a server reports them: number, name, HTTP status and text. */

/** A failure with ClickHouse's number and name, raised by the engine or in front of it. */
export class EngineException extends Error {
  readonly engineCode: number;
  readonly engineName: string;

  constructor(engineCode: number, engineName: string, message: string) {
    super(message);
    this.name = 'EngineException';
    this.engineCode = engineCode;
    this.engineName = engineName;
  }
}

/** The engine has shut itself down after a fatal error; only a new process helps. */
export const ABORTED = 236;

/** The statuses a ClickHouse server gives, by exception code. */
const STATUS_OF_CODES: readonly (readonly [status: number, codes: readonly number[]])[] = [
  [
    400,
    [
      6, 25, 26, 27, 32, 33, 36, 38, 41, 42, 43, 53, 62, 69, 72, 117, 131, 152, 167, 168, 271, 354, 376, 441, 456, 457,
      467, 675, 676,
    ],
  ],
  [403, [164, 192, 193, 497, 512, 516]],
  [404, [46, 47, 50, 56, 60, 63, 73, 81, 115, 511]],
  [408, [159]],
  [413, [229]],
  [501, [48]],
  [503, [202, 209, 439]],
];

/** HTTP status for an exception code; 500 for what is nobody's fault in particular. */
export function httpStatus(engineCode: number): number {
  return STATUS_OF_CODES.find(([, codes]) => codes.includes(engineCode))?.[0] ?? 500;
}

const PREFIX = /^Code: (\d+)\. DB::Exception: /;
const SUFFIX = /\s*\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*\))?\.?\s*$/;

/** Any failure as an `EngineException`: the engine's text is taken apart again, anything else is 1002 (UNKNOWN_EXCEPTION). */
export function toEngineException(error: unknown): EngineException {
  if (error instanceof EngineException) return error;
  let message = error instanceof Error ? error.message : String(error);
  const code = PREFIX.exec(message)?.[1];
  if (code === undefined) return new EngineException(1002, 'UNKNOWN_EXCEPTION', message);
  const name = SUFFIX.exec(message)?.[1] ?? 'UNKNOWN_EXCEPTION';
  // An exception that passed several layers is wrapped in its own number and name at each of them.
  while (PREFIX.test(message)) message = message.replace(PREFIX, '');
  while (SUFFIX.test(message)) message = message.replace(SUFFIX, '');
  return new EngineException(Number(code), name, message);
}

/** The body of a failed answer, in the form every ClickHouse client reads. */
export function exceptionText(exception: EngineException, version: string): string {
  return `Code: ${exception.engineCode}. DB::Exception: ${exception.message} (${exception.engineName}) (version ${version})\n`;
}

/** The block that ends a result broken off in the middle; `tag` was announced in a header, so data cannot forge it. */
export function exceptionBlock(exception: EngineException, version: string, tag: string): Buffer {
  const text = exceptionText(exception, version).trimEnd();
  const bytes = Buffer.byteLength(text) + 1;
  return Buffer.from(`\r\n__exception__\r\n${tag}\r\n${text}\n${bytes} ${tag}\r\n__exception__\r\n`);
}
