import { describe, expect, test } from 'vitest';
import { type ConfigInput, loadConfig, readConfig } from '../../../app/config/load.ts';
import { SETTINGS_LIST } from '../../../app/config/schema.ts';

type Given = Partial<Omit<ConfigInput, 'readFile'>> & { files?: Record<string, string> };

function input({ files = {}, ...given }: Given = {}): ConfigInput {
  return { flags: {}, env: {}, cwd: '/srv/app', readFile: (path) => files[path], ...given };
}

function problemOf(given: Given): string {
  try {
    loadConfig(input(given));
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad_config' });
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}

const yaml = (text: string): Given => ({ files: { '/srv/app/heliograph.yaml': text } });

describe('with nothing set', () => {
  test('every key has its default and says so', () => {
    const { config, origins } = loadConfig(input());
    expect(config).toEqual({
      bind: '127.0.0.1',
      port: 7070,
      otlp: { httpPort: 4318, grpcPort: 4317 },
      dataDir: '/srv/app/.heliograph',
      clickhouseUrl: undefined,
      clickhouseCluster: undefined,
      token: undefined,
      disk: { capGiB: undefined },
      retention: {
        spans: 14 * 86_400_000,
        profiles: 14 * 86_400_000,
        rollupMinute: 35 * 86_400_000,
        rollupCoarse: 400 * 86_400_000,
      },
      git: { every: 60_000, repositories: [] },
      targets: [],
      hooks: { github: { secretFile: undefined } },
      people: { keyFile: undefined, floor: 5, developerSeries: false },
      alerts: {
        every: 30_000,
        pageUrl: undefined,
        receivers: [],
        rules: {
          latency: {
            enabled: true,
            window: 300_000,
            baseline: 3_600_000,
            minIncreaseMs: 200,
            minIncreaseRatio: 0.2,
            minCount: 300,
            for: 0,
          },
          goroutines: { enabled: true, window: 600_000, windows: 4, minGrowth: 1, for: 0 },
        },
      },
      selfTelemetry: { enabled: true, ratio: 1 },
      log: { level: 'info' },
      journal: { maxBacklogGiB: 8 },
      engine: { memoryMiB: 1536, threads: 2 },
      drainDeadline: 5_000,
      tls: {
        certFile: undefined,
        keyFile: undefined,
        clientCaFile: undefined,
        crlFile: undefined,
        minVersion: 'TLSv1.2',
        maxConnectionAge: 3_600_000,
        ocsp: 'off',
        ocspUrl: undefined,
      },
      auth: {
        keysFile: undefined,
        certificates: [],
        jwt: {
          issuer: undefined,
          audience: undefined,
          jwksFile: undefined,
          jwksUrl: undefined,
          algorithms: 'EdDSA,ES256,RS256',
          teamClaim: 'team',
          clockTolerance: 30_000,
          maxAge: 3_600_000,
          bound: false,
        },
      },
      budgets: { spansPerSecond: 0, bytesPerSecond: 0, routes: 2000 },
    });
    expect(Object.keys(origins)).toEqual(SETTINGS_LIST.map(({ key }) => key));
    expect(Object.values(origins).every(({ source }) => source === 'default')).toBe(true);
  });
});

describe('names', () => {
  test('follow from the key path', () => {
    const names = SETTINGS_LIST.map(({ key, variable, flag }) => [key, variable, flag]);
    expect(names).toContainEqual(['port', 'HELIOGRAPH_PORT', '--port']);
    expect(names).toContainEqual(['otlp.httpPort', 'HELIOGRAPH_OTLP_HTTP_PORT', '--otlp-http-port']);
    expect(names).toContainEqual(['clickhouseUrl', 'HELIOGRAPH_CLICKHOUSE_URL', '--clickhouse-url']);
    expect(names).toContainEqual([
      'retention.rollupMinute',
      'HELIOGRAPH_RETENTION_ROLLUP_MINUTE',
      '--retention-rollup-minute',
    ]);
    expect(names).toContainEqual([
      'journal.maxBacklogGiB',
      'HELIOGRAPH_JOURNAL_MAX_BACKLOG_GIB',
      '--journal-max-backlog-gib',
    ]);
    expect(names).toContainEqual(['engine.memoryMiB', 'HELIOGRAPH_ENGINE_MEMORY_MIB', '--engine-memory-mib']);
  });
});

describe('precedence', () => {
  const file = yaml('# ours\notlp:\n  httpPort: 1003\n');

  test('flag before environment before file before default', () => {
    const env = { HELIOGRAPH_OTLP_HTTP_PORT: '1002' };
    const flags = { 'otlp.httpPort': '1001' };
    const at = (given: Given) => {
      const { config, origins } = loadConfig(input(given));
      return [config.otlp.httpPort, origins['otlp.httpPort']];
    };
    expect(at({ ...file, env, flags })).toEqual([1001, { source: 'flag', detail: '--otlp-http-port' }]);
    expect(at({ ...file, env })).toEqual([1002, { source: 'environment', detail: 'HELIOGRAPH_OTLP_HTTP_PORT' }]);
    expect(at(file)).toEqual([1003, { source: 'file', detail: 'heliograph.yaml:3' }]);
    expect(at({})).toEqual([4318, { source: 'default', detail: '' }]);
  });

  test('an empty variable and an empty key of the file count as absent', () => {
    const env = { HELIOGRAPH_PORT: '', HELIOGRAPH_CONFIG: '', HELIOGRAPH_WHATEVER: '' };
    const { config, origins } = loadConfig(input({ ...yaml('port:\notlp:\n'), env }));
    expect(config.port).toBe(7070);
    expect(origins['port']?.source).toBe('default');
  });

  test('--config before HELIOGRAPH_CONFIG before heliograph.yaml', () => {
    const files = {
      '/srv/app/heliograph.yaml': 'port: 1',
      '/etc/env.yaml': 'port: 2',
      '/srv/app/flag.yaml': 'port: 3',
    };
    const env = { HELIOGRAPH_CONFIG: '/etc/env.yaml' };
    expect(loadConfig(input({ files, env, file: 'flag.yaml' })).origins['port']?.detail).toBe('flag.yaml:1');
    expect(loadConfig(input({ files, env })).config.port).toBe(2);
    expect(loadConfig(input({ files })).config.port).toBe(1);
  });

  test('a relative data directory of a file lies beside the file', () => {
    const files = { '/etc/h/h.yaml': 'dataDir: ./data' };
    expect(loadConfig(input({ files, file: '/etc/h/h.yaml' })).config.dataDir).toBe('/etc/h/data');
    expect(loadConfig(input({ env: { HELIOGRAPH_DATA_DIR: 'data' } })).config.dataDir).toBe('/srv/app/data');
  });
});

describe('a value that breaks its rule is refused with key, value, rule and place', () => {
  test.each([
    ['HELIOGRAPH_PORT', '65536', 'port: 65536 is refused, it must be an integer from 0 to 65535 (HELIOGRAPH_PORT)'],
    ['HELIOGRAPH_PORT', '70.5', 'port: 70.5 is refused, it must be an integer from 0 to 65535 (HELIOGRAPH_PORT)'],
    ['HELIOGRAPH_PORT', '0x50', 'port: 0x50 is refused'],
    ['HELIOGRAPH_BIND', 'my host', 'bind: my host is refused, it must be an IP address or a host name'],
    ['HELIOGRAPH_BIND', '127.0.0.256', 'bind: 127.0.0.256 is refused'],
    [
      'HELIOGRAPH_RETENTION_SPANS',
      '14 days',
      'retention.spans: 14 days is refused, it must be a duration from 1h to 3650d',
    ],
    ['HELIOGRAPH_RETENTION_SPANS', '59m', 'retention.spans: 59m is refused'],
    ['HELIOGRAPH_DRAIN_DEADLINE', '11m', 'drainDeadline: 11m is refused, it must be a duration from 100ms to 10m'],
    ['HELIOGRAPH_SELF_TELEMETRY_RATIO', '1.1', 'selfTelemetry.ratio: 1.1 is refused, it must be a number from 0 to 1'],
    ['HELIOGRAPH_SELF_TELEMETRY_ENABLED', 'yes', 'selfTelemetry.enabled: yes is refused, it must be true or false'],
    ['HELIOGRAPH_LOG_LEVEL', 'loud', 'log.level: loud is refused, it must be one of debug, info, warn, error'],
    [
      'HELIOGRAPH_CLICKHOUSE_URL',
      'tcp://ch:9000',
      'clickhouseUrl: tcp://ch:9000 is refused, it must be an http:// or https:// URL',
    ],
    [
      'HELIOGRAPH_ENGINE_MEMORY_MIB',
      '64',
      'engine.memoryMiB: 64 is refused, it must be an integer from 512 to 1048576',
    ],
  ])('%s=%s', (name, value, message) => {
    expect(problemOf({ env: { [name]: value } })).toContain(message);
  });

  test.each([
    ['port: "7070"\n', 'port: 7070 is refused, it must be an integer from 0 to 65535 (heliograph.yaml:1)'],
    ['\n\ntoken: 12345\n', 'token: ******** is refused, it must be printable ASCII without spaces (heliograph.yaml:3)'],
    ['bind: [a, b]\n', 'bind: {"list":true} is refused'],
    ['otlp: 4318\n', 'heliograph.yaml:1: otlp is a section; what can be set is otlp.httpPort, otlp.grpcPort'],
    ['- port\n', 'heliograph.yaml:1: the file must be a mapping of keys to values'],
    ['port: 1\nport: 2\n', 'heliograph.yaml:2: not YAML: Map keys must be unique'],
    ['bind: 127.0.0.1\nport: {\n', /^heliograph\.yaml:\d: not YAML/],
  ])('the file %j', (text, message) => {
    const problem = problemOf(yaml(text));
    if (typeof message === 'string') expect(problem).toContain(message);
    else expect(problem).toMatch(message);
  });

  test('even where a better source overrides it', () => {
    expect(problemOf({ ...yaml('port: 70000'), flags: { port: '1' } })).toContain('heliograph.yaml:1');
  });

  test('all of them at once, one a line', () => {
    const env = { HELIOGRAPH_PORT: 'x', HELIOGRAPH_LOG_LEVEL: 'y' };
    expect(problemOf({ env, flags: { bind: '' } }).split('\n')).toEqual([
      '3 settings are refused:',
      '  bind:  is refused, it must be an IP address or a host name (--bind)',
      '  port: x is refused, it must be an integer from 0 to 65535 (HELIOGRAPH_PORT)',
      '  log.level: y is refused, it must be one of debug, info, warn, error (HELIOGRAPH_LOG_LEVEL)',
    ]);
  });
});

describe('an unknown name is refused with the nearest one', () => {
  test.each([
    ['prot: 1\n', 'heliograph.yaml:1: unknown key prot; did you mean port?'],
    ['otlp:\n  httpport: 1\n', 'heliograph.yaml:2: unknown key otlp.httpport; did you mean otlp.httpPort?'],
    ['retension:\n  spans: 1d\n', 'heliograph.yaml:1: unknown key retension; did you mean retention?'],
    ['zzzzzzzzzz: 1\n', 'heliograph.yaml:1: unknown key zzzzzzzzzz'],
  ])('%j', (text, message) => {
    expect(problemOf(yaml(text))).toBe(message);
  });

  test('a variable too, and its value is not shown', () => {
    const problem = problemOf({ env: { HELIOGRAPH_TOKKEN: 's3cret', HELIOGRAPH_HTTP_PORT: '1' } });
    expect(problem).toContain('unknown variable HELIOGRAPH_TOKKEN; did you mean HELIOGRAPH_TOKEN?');
    expect(problem).toContain('unknown variable HELIOGRAPH_HTTP_PORT; did you mean HELIOGRAPH_OTLP_HTTP_PORT?');
    expect(problem).not.toContain('s3cret');
  });
});

describe('rules between keys', () => {
  test.each(['0.0.0.0', '::', '10.0.0.5', 'example.internal', '128.0.0.1', '::2'])('bind %s needs a token', (bind) => {
    expect(problemOf({ flags: { bind } })).toBe(
      `bind: ${bind} is refused without a token, others could reach it; set HELIOGRAPH_TOKEN or bind to 127.0.0.1`,
    );
    expect(loadConfig(input({ flags: { bind, token: 't0ken' } })).config.bind).toBe(bind);
  });

  test.each(['127.0.0.1', '127.9.8.7', '::1', 'localhost', 'LOCALHOST'])('bind %s does not', (bind) => {
    expect(loadConfig(input({ flags: { bind } })).config.bind).toBe(bind);
  });

  test('a token that was refused is not called missing as well', () => {
    expect(problemOf({ flags: { bind: '0.0.0.0', token: 'two words' } })).toBe(
      'token: ******** is refused, it must be printable ASCII without spaces (--token)',
    );
  });

  test('two doors cannot share a port, but both may take a free one', () => {
    expect(problemOf({ flags: { port: '4318' } })).toContain('port: 4318 is refused, otlp.httpPort has it too');
    expect(problemOf({ flags: { 'otlp.httpPort': '4317' } })).toContain(
      'otlp.httpPort: 4317 is refused, otlp.grpcPort has it too',
    );
    expect(loadConfig(input({ flags: { port: '0', 'otlp.httpPort': '0', 'otlp.grpcPort': '0' } })).config.port).toBe(0);
  });

  test('a cluster needs a server', () => {
    expect(problemOf({ flags: { clickhouseCluster: 'main' } })).toContain(
      'clickhouseCluster: is refused without clickhouseUrl',
    );
  });
});

describe('files that cannot be had', () => {
  test('one that was named must be there; the default one need not', () => {
    expect(problemOf({ file: 'no.yaml' })).toBe('no.yaml: there is no such file (--config)');
    expect(problemOf({ env: { HELIOGRAPH_CONFIG: 'no.yaml' } })).toBe(
      'no.yaml: there is no such file (HELIOGRAPH_CONFIG)',
    );
  });

  test('one that cannot be read says why', () => {
    const readFile = () => {
      throw new Error('EACCES: permission denied');
    };
    expect(() => loadConfig({ ...input(), readFile })).toThrow(
      'heliograph.yaml: cannot be read: EACCES: permission denied',
    );
  });
});

test('the password of a refused URL is masked', () => {
  expect(problemOf({ env: { HELIOGRAPH_CLICKHOUSE_URL: 'ftp://me:pa55@ch/' } })).not.toContain('pa55');
});

test('readConfig gives what can be had of a configuration that is refused', () => {
  const { config, problems } = readConfig(input({ flags: { bind: '0.0.0.0', port: 'x' } }));
  expect(problems).toHaveLength(2);
  expect([config.bind, config.port]).toEqual(['0.0.0.0', 7070]);
});
