/**
 * Every setting of Heliograph, once. The key path gives the variable (HELIOGRAPH_OTLP_HTTP_PORT), the flag
 * (--otlp-http-port) and the place in heliograph.yaml; the rule, the default and the documentation stand here.
 */
import Type, { type Static } from 'typebox';
import { ALERT_SETTINGS } from './alert-settings.ts';
import { AUTH_SETTINGS, BUDGET_SETTINGS, TLS_SETTINGS } from './auth-settings.ts';
import type { GitRepository, ScrapeTarget } from './items.ts';
import {
  duration,
  durationField,
  type LeafSchema,
  list,
  NAME_FIELD,
  PATH_FIELD,
  port,
  secretFile,
  URL_FIELD,
} from './leaf.ts';

export const SETTINGS = Type.Object({
  bind: Type.String({
    description: 'Address on which every door listens. Anything but loopback needs a token.',
    unit: 'address',
    default: '127.0.0.1',
    examples: ['0.0.0.0'],
    pattern: '^[0-9A-Za-z.:_-]+$',
    rule: 'an IP address or a host name',
  }),
  port: port('Port of the boards page, the API, /metrics and health. 0 takes a free one.', 7070, 8080),
  otlp: Type.Object({
    httpPort: port('Port of the OTLP/HTTP door. 0 takes a free one.', 4318, 14_318),
    grpcPort: port('Port of the OTLP/gRPC door. 0 takes a free one.', 4317, 14_317),
  }),
  dataDir: Type.String({
    description:
      'Where the journal and the embedded engine keep their files. Relative to the working directory, or to heliograph.yaml where it stands there.',
    unit: 'path',
    default: './.heliograph',
    examples: ['/var/lib/heliograph'],
    minLength: 1,
    rule: 'a path',
  }),
  clickhouseUrl: Type.Optional(
    Type.String({
      description: 'The team’s own ClickHouse (HTTP interface). Absent: the embedded engine.',
      unit: 'URL',
      examples: ['http://clickhouse.internal:8123'],
      pattern: '^https?://[^\\s/]+',
      rule: 'an http:// or https:// URL',
      secret: 'password of the URL',
    }),
  ),
  clickhouseCluster: Type.Optional(
    Type.String({
      description:
        'Name of the cluster on which tables are made (ON CLUSTER, Replicated engines). Needs clickhouseUrl.',
      unit: 'name',
      examples: ['observability'],
      pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$',
      rule: 'a cluster name: letters, digits, _ . -',
    }),
  ),
  token: Type.Optional(
    Type.String({
      description:
        'Bearer token of every door and of /metrics, Basic password of the page and the API. Better set by its variable than by a flag, which other users of the machine can see.',
      unit: 'text',
      examples: ['the output of: openssl rand -hex 24'],
      pattern: '^[\\x21-\\x7e]+$',
      rule: 'printable ASCII without spaces',
      secret: 'value',
    }),
  ),
  auth: AUTH_SETTINGS,
  tls: TLS_SETTINGS,
  budgets: BUDGET_SETTINGS,
  retention: Type.Object({
    spans: duration('How long spans are kept; also how far back a span may start.', '14d', '36h', '1h', '3650d'),
    profiles: duration('How long profiles, runtime figures and polls are kept.', '14d', '30d', '1h', '3650d'),
    rollupMinute: duration('How long the 1-minute rollups are kept.', '35d', '90d', '1h', '3650d'),
    rollupCoarse: duration('How long CI runs, deployments and alerts are kept.', '400d', '800d', '1h', '3650d'),
  }),
  disk: Type.Object({
    capGiB: Type.Optional(
      Type.Number({
        description:
          'How much all tables and the journal may take on disk. Above it the oldest partitions are dropped before their time, and boards.disk_drops says which. Absent: no cap.',
        unit: 'GiB',
        examples: [50],
        minimum: 0.01,
        maximum: 1_048_576,
      }),
    ),
  }),
  git: Type.Object({
    every: duration('How often the repositories are looked at for new commits.', '1m', '10m', '1s', '30d'),
    repositories: list<GitRepository>(
      'Git repositories whose history is collected: a path of a clone on this machine, or a URL that is mirrored into the data directory. Empty: the repository that Heliograph is started in, if it is one.',
      {
        name: {
          ...NAME_FIELD,
          description: 'How it is called; owner/name of the remote, or the folder, where absent.',
          optional: true,
        },
        path: { ...PATH_FIELD, description: 'A clone on this machine, bare or not.', optional: true },
        url: {
          type: 'string',
          pattern: '^(https?://|ssh://|git@|file:///)[^\\s]+$',
          rule: 'an https://, ssh://, git@ or file:/// address',
          secret: 'password of the URL',
          description: 'What `git clone` takes. One of path and url is given.',
          optional: true,
        },
        branch: { ...NAME_FIELD, description: 'The branch whose history counts; HEAD where absent.', optional: true },
      },
      '[{ name: shop, path: ../shop }]',
    ),
  }),
  targets: list<ScrapeTarget>(
    'Go processes whose /debug/pprof/* and /debug/vars are polled. Heliograph itself is always one.',
    {
      name: { ...NAME_FIELD, description: 'The process; unique.' },
      url: { ...URL_FIELD, description: 'Base of /debug/pprof/* and /debug/vars.' },
      service: { ...NAME_FIELD, description: 'service.name of its spans; the name where absent.', optional: true },
      headers: {
        type: 'map',
        description: 'Sent with every request, such as authorization.',
        secret: 'value',
        optional: true,
      },
      every: {
        ...durationField('30s', '1s', '1h'),
        description: 'Between goroutine profiles, and between scrapes of /debug/vars.',
      },
      cpuEvery: { ...durationField('10m', '10s', '7d'), description: 'Between CPU profiles.' },
      cpuDuration: { ...durationField('10s', '1s', '60s'), description: 'Length of a CPU profile.' },
    },
    '[{ name: checkout-1, service: checkout, url: "http://127.0.0.1:6060" }]',
  ),
  hooks: Type.Object({
    github: Type.Object({
      secretFile: secretFile(
        'File with the secret of the GitHub webhook, or two, one a line, while it is being changed; it is read again when it changes. Without it /hooks/github answers 404.',
        './github.secret',
      ),
    }),
  }),
  people: Type.Object({
    keyFile: Type.Optional(
      Type.String({
        description:
          'File with the key of pseudonyms and of the identity map. Absent: people.key in the data directory, made at the first start. Whoever loses it loses the names behind the pseudonyms.',
        unit: 'path',
        examples: ['/run/secrets/people.key'],
        minLength: 1,
        rule: 'a path',
      }),
    ),
    floor: Type.Integer({
      description: 'Counts of people below this are hidden.',
      unit: 'people',
      default: 5,
      examples: [7],
      minimum: 5,
      maximum: 1000,
    }),
    developerSeries: Type.Boolean({
      description: 'Whether /metrics has dev_commit_total with a pseudonymous developer label.',
      unit: 'true or false',
      default: false,
      examples: [true],
    }),
  }),
  alerts: ALERT_SETTINGS,
  selfTelemetry: Type.Object({
    enabled: Type.Boolean({
      description: 'Whether Heliograph sends its own traces through its own door.',
      unit: 'true or false',
      default: true,
      examples: [false],
    }),
    ratio: Type.Number({
      description: 'Share of its own traces that Heliograph keeps.',
      unit: 'share',
      default: 1,
      examples: [0.1],
      minimum: 0,
      maximum: 1,
    }),
  }),
  log: Type.Object({
    level: Type.Enum(['debug', 'info', 'warn', 'error'], {
      description: 'The least severe log lines that are written.',
      unit: 'level',
      default: 'info',
      examples: ['debug'],
    }),
  }),
  journal: Type.Object({
    maxBacklogGiB: Type.Number({
      description: 'How much acknowledged but not yet loaded data the journal may hold before doors answer 503.',
      unit: 'GiB',
      default: 8,
      examples: [2],
      minimum: 0.0625,
      maximum: 65_536,
    }),
  }),
  engine: Type.Object({
    memoryMiB: Type.Integer({
      description: 'Memory the embedded engine may use.',
      unit: 'MiB',
      default: 1536,
      examples: [4096],
      minimum: 512,
      maximum: 1_048_576,
    }),
    threads: Type.Integer({
      description: 'Threads the embedded engine may use for one query.',
      unit: 'threads',
      default: 2,
      examples: [8],
      minimum: 1,
      maximum: 256,
    }),
  }),
  drainDeadline: duration('How long a stop may take to finish what is under way.', '5s', '20s', '100ms', '10m'),
});

/** Every key is there: absent ones are undefined. */
type Complete<T> = {
  [K in keyof T]-?: undefined extends T[K] ? T[K] | undefined : T[K] extends object ? Complete<T[K]> : T[K];
};

/** Settings as the code sees them: durations in milliseconds, `dataDir` absolute. */
export type Config = Complete<Static<typeof SETTINGS>>;

/** One key with its three names. */
export interface Setting {
  /** Dotted, as in heliograph.yaml and in messages: `otlp.httpPort`. */
  key: string;
  variable: string;
  flag: string;
  schema: LeafSchema;
}

/** Every setting, in the order of the schema. */
export const SETTINGS_LIST: readonly Setting[] = settingsOf(SETTINGS, []);

/** Keys that only hold other keys (`otlp`). */
export const SECTIONS: ReadonlySet<string> = new Set(
  SETTINGS_LIST.flatMap(({ key }) => {
    const parts = key.split('.').slice(0, -1);
    return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
  }),
);

function settingsOf(node: { properties: object }, path: string[]): Setting[] {
  return Object.entries(node.properties).flatMap(([name, child]) => {
    const at = [...path, name];
    if ('properties' in child) return settingsOf(child, at);
    const words = at.flatMap(wordsOf);
    return [
      {
        key: at.join('.'),
        variable: ['HELIOGRAPH', ...words].join('_').toUpperCase(),
        flag: `--${words.join('-')}`,
        schema: child as LeafSchema,
      },
    ];
  });
}

/** `maxBacklogGiB` -> max, backlog, gib. */
function wordsOf(camel: string): string[] {
  return camel
    .replace(/([KMGT])iB/g, '_$1ib')
    .split(/_|(?=[A-Z])/)
    .map((word) => word.toLowerCase())
    .filter((word) => word !== '');
}
