/** Frame of a board: what all of them share, and the mending of the SDK's output. */
import {
  AnnotationQueryBuilder,
  type DashboardBuilder as Builder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { ColorName } from '../shared/supported.ts';
import type { Annotation, Board, Panel } from '../shared/model.ts';
import { siblingBoards } from './panels.ts';
import { DATASOURCE, DATASOURCE_TYPE, sqlOf, tableTarget, type ViewQuery } from './query.ts';

/** All Heliograph boards carry it; the dropdown of siblings goes by it. */
export const BOARD_TAG = 'heliograph';

export interface BoardSpec {
  uid: string;
  title: string;
  description: string;
  tags: readonly string[];
  /** Default range, e.g. `now-1h` to now. */
  from: string;
  refresh: string;
  /** Events drawn on every panel over time. */
  annotations: readonly AnnotationSpec[];
  /** Boards that tell more of what is chosen here; addresses with placeholders as in data links. */
  links?: readonly { title: string; url: string }[];
}

export interface AnnotationSpec {
  /** On the switch that hides them, and in the address of their query: never changes. */
  name: string;
  color: ColorName;
  /** Selects `time`, `text` (a sentence), `title` (a few letters beside the line) and `tags`, in this order. */
  query: ViewQuery;
}

/** An empty board with the data source variable, shared crosshair and links to its siblings. */
export function board(spec: BoardSpec): Builder {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([BOARD_TAG, ...spec.tags])
    .readonly()
    .timezone('browser')
    .time({ from: spec.from, to: 'now' })
    .refresh(spec.refresh)
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .label('Data source')
        .description('ClickHouse data source that points at Heliograph.')
        .type(DATASOURCE_TYPE),
    )
    .link(siblingBoards(BOARD_TAG).type(DashboardLinkType.Dashboards));
  for (const { title, url } of spec.links ?? []) {
    builder.link(
      new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url).tooltip(title).targetBlank(false),
    );
  }
  for (const { name, color, query } of spec.annotations) {
    builder.annotation(
      new AnnotationQueryBuilder()
        .name(name)
        .datasource(DATASOURCE)
        .enable(true)
        .iconColor(color)
        .target(tableTarget('Anno', query)),
    );
  }
  return builder;
}

export interface VariableSpec {
  name: string;
  label: string;
  description: string;
  query: ViewQuery;
  /** Several values and All; one value otherwise. */
  multi: boolean;
  /** SQL literal that stands for All, which is then offered beside single values. */
  all?: "''";
}

/** A variable filled from a view, read again whenever the time range changes. */
export function queryVariable(spec: VariableSpec): QueryVariableBuilder {
  const withAll = spec.multi || spec.all !== undefined;
  const builder = new QueryVariableBuilder(spec.name)
    .label(spec.label)
    .description(spec.description)
    .datasource(DATASOURCE)
    .query({ editorType: 'sql', queryType: 'sql', refId: spec.name, rawSql: sqlOf(spec.query) })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.Disabled)
    .multi(spec.multi)
    .includeAll(withAll)
    .allowCustomValue(false)
    .current(
      withAll
        ? { text: spec.multi ? ['All'] : 'All', value: spec.multi ? ['$__all'] : '$__all', selected: true }
        : { text: '', value: '', selected: false },
    );
  return spec.all === undefined ? builder : builder.allValue(spec.all);
}

const ANNOTATIONS: Annotation = {
  builtIn: 1,
  datasource: { type: 'grafana', uid: '-- Grafana --' },
  enable: true,
  hide: true,
  iconColor: 'rgba(0, 211, 255, 1)',
  name: 'Annotations & Alerts',
  type: 'dashboard',
};

/**
 * The JSON to commit. Mends what the SDK leaves: links hidden in a menu (`placement`), interval keys on query variables, rows
 * without ids, the missing built-in annotation, and a null threshold base that it drops.
 */
export function exportBoard(builder: Builder): Board {
  const mended = JSON.parse(JSON.stringify(builder.build()), (key: string, value: unknown) =>
    key === 'placement' && value === 'inControlsMenu' ? undefined : value,
  ) as Board & { templating: { list: Record<string, unknown>[] } };
  for (const variable of mended.templating.list) {
    for (const key of ['auto', 'auto_min', 'auto_count']) delete variable[key];
  }
  const panels = mended.panels.map((panel, index) => (panel.type === 'row' ? { ...panel, id: rowId(index) } : panel));
  return {
    ...mended,
    annotations: { list: [ANNOTATIONS, ...(mended.annotations?.list ?? [])] },
    panels: panels as Panel[],
  };
}

// Panels number themselves from 1; rows stay clear of them and are referred to by nobody.
function rowId(index: number): number {
  return 1000 + index;
}
