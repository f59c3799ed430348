/** The store as the page and the API see it: each query is a Client span. The loader has a store of its own, untraced. */
import { SpanKind, type Tracer } from '@opentelemetry/api';
import type { Store } from '../../core/ports.ts';
import { withSpan } from './start.ts';

export function tracedStore(store: Store, tracer: Tracer): Store {
  return {
    ...store,
    query: (statement) =>
      withSpan(
        tracer,
        `query ${viewOf(statement.sql)}`,
        SpanKind.CLIENT,
        { 'db.system.name': 'clickhouse', 'db.operation.name': 'SELECT' },
        () => store.query(statement),
      ),
  };
}

/** The view a query reads, as a low-cardinality span name. */
function viewOf(sql: string): string {
  return /\b(boards\.\w+)/.exec(sql)?.[1] ?? 'system';
}
