/**
 * The engine's configuration files. They hold what cannot be a statement: memory and thread caps, directories, and the roles,
 * which exist in no other form in the embedded engine.
 */
import type { ChildOptions } from './options.ts';

const MIB = 1024 * 1024;

/** The server configuration (`--config-file`). `usersPath` is where the result of `renderUsers` is stored. */
export function renderConfig(options: ChildOptions, usersPath: string): string {
  const cacheBytes = Math.max(16 * MIB, Math.floor(options.memoryBytes / 24));
  return document({
    logger: { level: 'none' },
    timezone: 'UTC',
    users_config: usersPath,
    max_server_memory_usage: options.memoryBytes,
    format_schema_path: `${options.runDir}/schemas/`,
    tmp_path: `${options.runDir}/tmp/`,
    mark_cache_size: cacheBytes,
    primary_index_cache_size: cacheBytes,
    index_mark_cache_size: cacheBytes,
    query_condition_cache_size: cacheBytes,
    parquet_metadata_cache_size: MIB,
    compiled_expression_cache_size: 16 * MIB,
    background_pool_size: options.threads,
    background_merges_mutations_concurrency_ratio: 1,
    background_common_pool_size: 1,
    background_move_pool_size: 1,
    background_fetches_pool_size: 1,
    background_schedule_pool_size: 2,
    // The memory tracker looks every 50 ms by default, which is most of what an idle engine costs.
    memory_worker_period_ms: 500,
    asynchronous_metrics_update_period_s: 60,
    asynchronous_heavy_metrics_update_period_s: 3600,
  });
}

/**
 * The users configuration. The one user has no rights of its own, only roles: after `SET ROLE face` a session reads the views
 * and nothing else, while the views themselves run with the rights of their definer.
 */
export function renderUsers(options: ChildOptions): string {
  return document({
    profiles: {
      default: {
        max_threads: options.threads,
        max_insert_threads: 1,
        max_query_size: 16 * MIB,
        // Results are written to a pipe as they come; one buffer must not wait for a million rows.
        output_format_parallel_formatting: 0,
      },
    },
    quotas: { default: {} },
    roles: {
      face: { grants: { query: ['GRANT SELECT, SHOW ON boards.*'] } },
      loader: {
        grants: {
          query: [
            'GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, SYSTEM, KILL QUERY, TABLE ENGINE ON *.*',
            'GRANT READ ON FILE',
            'GRANT SET DEFINER ON *',
          ],
        },
      },
    },
    users: {
      default: {
        password: '',
        profile: 'default',
        quota: 'default',
        networks: { ip: '::/0' },
        grants: { query: ['GRANT face', 'GRANT loader'] },
      },
    },
  });
}

type Node = string | number | readonly string[] | { readonly [name: string]: Node };

function document(content: Node): string {
  return `<clickhouse>${element(content)}</clickhouse>\n`;
}

function element(node: Node): string {
  if (typeof node !== 'object') return escapeXml(String(node));
  return Object.entries(node)
    .map(([name, value]: [string, Node]) =>
      (Array.isArray(value) ? value : [value]).map((item: Node) => `<${name}>${element(item)}</${name}>`).join(''),
    )
    .join('');
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
