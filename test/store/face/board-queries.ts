import { BOARDS } from '../../../dashboards/index.ts';
import { expandPanel, expandVariable } from '../../../dashboards/query/expand.ts';
import { dataPanels } from '../../../dashboards/shared/model.ts';

/** Every query of every board and variable as Grafana would send it for the hour before `nowMs`. */
export function boardQueries(nowMs: number): { name: string; sql: string }[] {
  const range = { fromMs: nowMs - 3_600_000, toMs: nowMs };
  const boards = BOARDS.map((build) => build());
  return boards.flatMap((board) => {
    const values = new Map(board.templating.list.map(({ name }) => [name, ['checkout']]));
    const panels = dataPanels(board).flatMap((panel) =>
      expandPanel(panel, { range, values, maxDataPoints: 600 }).targets.map(({ refId, sql }) => ({
        name: `${board.uid} ${panel.title} ${refId}`,
        sql,
      })),
    );
    const variables = board.templating.list.flatMap((variable) => {
      const sql = expandVariable(variable, { range, values });
      return sql === undefined ? [] : [{ name: `${board.uid} $${variable.name}`, sql }];
    });
    return [...panels, ...variables];
  });
}
