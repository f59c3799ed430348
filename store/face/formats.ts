/**
 * The formats an answer may have. All of them only lay the result out: none reads a schema, a template or a file, and none
 * takes its shape from a setting that a reader could name.
 */

const NAMES = [
  'Native',
  'JSON',
  'JSONStrings',
  'JSONColumns',
  'JSONColumnsWithMetadata',
  'JSONCompact',
  'JSONCompactStrings',
  'JSONCompactColumns',
  'JSONEachRow',
  'JSONLines',
  'NDJSON',
  'JSONStringsEachRow',
  'JSONObjectEachRow',
  'JSONEachRowWithProgress',
  'JSONStringsEachRowWithProgress',
  'JSONCompactEachRow',
  'JSONCompactEachRowWithNames',
  'JSONCompactEachRowWithNamesAndTypes',
  'JSONCompactStringsEachRow',
  'JSONCompactStringsEachRowWithNames',
  'JSONCompactStringsEachRowWithNamesAndTypes',
  // What ClickHouse answers over HTTP where nobody asks for another.
  'TabSeparated',
  'TabSeparatedWithNames',
  'TabSeparatedWithNamesAndTypes',
  'TabSeparatedRaw',
  'TabSeparatedRawWithNames',
  'TabSeparatedRawWithNamesAndTypes',
  'TSV',
  'TSVWithNames',
  'TSVWithNamesAndTypes',
  'TSVRaw',
  'TSVRawWithNames',
  'TSVRawWithNamesAndTypes',
] as const;

const BY_LOWER_CASE: ReadonlyMap<string, string> = new Map(NAMES.map((name) => [name.toLowerCase(), name]));

/** The format's own spelling; undefined for one that is not served. */
export function formatName(name: string): string | undefined {
  return BY_LOWER_CASE.get(name.toLowerCase());
}
