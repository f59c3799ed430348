/** Grafana's URL grammar, read and written: `/d/<uid>?var-x=a&var-x=b&from=now-6h&to=now&refresh=30s`. */

export interface Location {
  uid: string;
  /** As in the URL: relative, ISO or Unix ms. Undefined leaves it to the board. */
  from: string | undefined;
  to: string | undefined;
  refresh: string | undefined;
  values: ReadonlyMap<string, readonly string[]>;
}

/** Reads a path and query; undefined where the path is not a board's. Grafana's `/d/<uid>/<slug>` is understood. */
export function parseLocation(path: string, search: string): Location | undefined {
  const encoded = /^\/d\/([^/]+)(?:\/[^/]*)?\/?$/.exec(path)?.[1];
  if (encoded === undefined) return undefined;
  const query = new URLSearchParams(search);
  const names = [...new Set([...query.keys()].filter((key) => key.startsWith('var-')))];
  return {
    uid: decodeURIComponent(encoded),
    from: query.get('from') ?? undefined,
    to: query.get('to') ?? undefined,
    refresh: query.get('refresh') ?? undefined,
    values: new Map(names.map((name) => [name.slice('var-'.length), query.getAll(name)])),
  };
}

/** The inverse of `parseLocation`. */
export function formatLocation(location: Location): string {
  const { from, to, refresh, values } = location;
  const parts = [pair('from', from), pair('to', to), ...variableParts(values), pair('refresh', refresh)];
  const query = parts.filter((part) => part !== '').join('&');
  return `/d/${encodeURIComponent(location.uid)}${query === '' ? '' : `?${query}`}`;
}

/** `var-x=a` for every value. */
export function variableParts(values: ReadonlyMap<string, readonly string[]>): string[] {
  return [...values].flatMap(([name, chosen]) => chosen.map((value) => pair(`var-${name}`, value)));
}

function pair(name: string, value: string | undefined): string {
  return value === undefined ? '' : `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
}
