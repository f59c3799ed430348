/** Which of the engine's exceptions mean that the bytes themselves are at fault. Everything else is retried whole. */

/**
 * ClickHouse error codes of parsing (src/Common/ErrorCodes.cpp). Only these are bisected: a parse error leaves nothing
 * behind, while an error in a later view may have filled the first table, and only the whole segment heals that.
 */
const FORMAT_ERROR_CODES: ReadonlySet<number> = new Set([
  6, // CANNOT_PARSE_TEXT
  25, // CANNOT_PARSE_ESCAPE_SEQUENCE
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  131, // TOO_LARGE_STRING_SIZE
  441, // PROTOBUF_BAD_CAST
  442, // PROTOBUF_FIELD_NOT_REPEATED
  443, // DATA_TYPE_CANNOT_BE_PROMOTED
  444, // UNKNOWN_PROTOBUF_FORMAT
]);

/** Whether the engine's code says that some body of the segment cannot be read. */
export function isFormatError(engineCode: number): boolean {
  return FORMAT_ERROR_CODES.has(engineCode);
}
