/** Calls to Heliograph, and the two ways they fail: it answers with an error, or it does not answer. */
import type { Board } from '../../shared/model.ts';
import type { PanelData } from './frames.ts';
import { variableParts } from './url.ts';

export interface BoardSummary {
  uid: string;
  title: string;
  tags: string[];
}

/** What every panel and variable of a view has in common. */
export interface Scope {
  from: string;
  to: string;
  values: ReadonlyMap<string, readonly string[]>;
}

/** `code` is Heliograph's own, or `unreachable` where no answer came. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
  }
}

/** An answer slower than this counts as none; a query itself is given ten seconds. */
const TIMEOUT_MS = 20_000;

async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(path, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError('unreachable', 'Heliograph does not answer. Is it running?');
  }
  if (response.ok) return (await response.json()) as T;
  const body = (await response.json().catch(() => undefined)) as
    | { error?: { code: string; message: string } }
    | undefined;
  throw new ApiError(body?.error?.code ?? 'internal', body?.error?.message ?? `HTTP ${response.status}`);
}

const query = ({ from, to, values }: Scope) =>
  [`from=${encodeURIComponent(from)}`, `to=${encodeURIComponent(to)}`, ...variableParts(values)].join('&');

const boardPath = (uid: string) => `/api/boards/${encodeURIComponent(uid)}`;

export const api = {
  boards: async () => (await getJson<{ boards: BoardSummary[] }>('/api/boards')).boards,
  board: (uid: string) => getJson<Board>(boardPath(uid)),
  panel: (uid: string, id: number, scope: Scope, maxDataPoints: number, signal: AbortSignal) =>
    getJson<PanelData>(`${boardPath(uid)}/panels/${id}?${query(scope)}&maxDataPoints=${maxDataPoints}`, signal),
  variable: async (uid: string, name: string, scope: Scope, signal: AbortSignal) =>
    (
      await getJson<{ options: string[] }>(
        `${boardPath(uid)}/variables/${encodeURIComponent(name)}?${query(scope)}`,
        signal,
      )
    ).options,
  annotation: (uid: string, name: string, scope: Scope, signal: AbortSignal) =>
    getJson<{ columns: { name: string }[]; rows: unknown[][] }>(
      `${boardPath(uid)}/annotations/${encodeURIComponent(name)}?${query(scope)}`,
      signal,
    ),
};
