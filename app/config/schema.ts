/**
 * Every setting of Heliograph, once. The key path gives the variable (HELIOGRAPH_OTLP_HTTP_PORT), the flag
 * (--otlp-http-port) and the place in heliograph.yaml; the rule, the default and the documentation stand here.
 */
import Type, { type Static } from 'typebox';

const DURATION = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$';

const port = (description: string, value: number, example: number) =>
  Type.Integer({ description, unit: 'port', default: value, examples: [example], minimum: 0, maximum: 65_535 });

/** Written `14d`, read by the code as milliseconds. `shortest` and `longest` are inclusive and written alike. */
const duration = (description: string, value: string, example: string, shortest: string, longest: string) =>
  Type.Unsafe<number>({
    type: 'string',
    description,
    unit: 'duration',
    default: value,
    examples: [example],
    pattern: DURATION,
    shortest,
    longest,
  });

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
  retention: Type.Object({
    spans: duration('How long spans are kept; also how far back a span may start.', '14d', '36h', '1h', '3650d'),
    rollupMinute: duration('How long the 1-minute rollups are kept.', '35d', '90d', '1h', '3650d'),
  }),
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

/** What the schema says of one key. `secret` says what of the value must not be shown. */
export interface LeafSchema {
  type?: string;
  description: string;
  unit: string;
  default?: string | number | boolean;
  examples: readonly (string | number | boolean)[];
  minimum?: number;
  maximum?: number;
  pattern?: string;
  minLength?: number;
  enum?: readonly string[];
  shortest?: string;
  longest?: string;
  rule?: string;
  secret?: 'value' | 'password of the URL';
}

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
