import type { Rows, RowSignal, RowSink } from '../../core/rows.ts';

/** A sink that keeps what it is given. */
export function recordingSink(): RowSink & { rows<S extends RowSignal>(signal: S): Rows[S][] } {
  const kept: { signal: RowSignal; rows: readonly object[] }[] = [];
  return {
    append: (signal, rows) => {
      kept.push({ signal, rows });
      return Promise.resolve();
    },
    rows: <S extends RowSignal>(signal: S) =>
      kept.filter((each) => each.signal === signal).flatMap((each) => each.rows as Rows[S][]),
  };
}
