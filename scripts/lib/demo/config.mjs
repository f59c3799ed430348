// @ts-check
/** heliograph.yaml of the demo: short intervals, so that minutes are enough to see what takes hours elsewhere. */

import { REPOSITORY } from './people.mjs';

/**
 * @param {{port: number, otlpPort: number, receiverUrl: string,
 *   targets: readonly {name: string, service: string, url: string}[]}} given ports 0 take free ones
 * @returns {string} paths in it are relative to the file
 */
export function heliographYaml({ port, otlpPort, receiverUrl, targets }) {
  const lines = targets.map(
    ({ name, service, url }) =>
      `  - { name: ${name}, service: ${service}, url: "${url}", every: 5s, cpuEvery: 60s, cpuDuration: 5s }`,
  );
  return `# Written by npm run demo, anew at every start.
port: ${port}
otlp: { httpPort: ${otlpPort}, grpcPort: 0 }
dataDir: ./data
git:
  every: 10s
  repositories: [{ name: ${REPOSITORY}, path: ./repo }]
targets:
${lines.join('\n')}
hooks: { github: { secretFile: ./github.secret } }
alerts:
  every: 5s
  receivers: [{ name: demo, url: "${receiverUrl}", secretFile: ./webhook.secret }]
  rules:
    latency: { window: 1m, baseline: 3m, minIncreaseMs: 200, minIncreaseRatio: 0.2, minCount: 100, for: 0s }
    # Windows this short see pools of connections breathe; a leak is larger than they are.
    goroutines: { window: 20s, windows: 4, minGrowth: 100, for: 0s }
`;
}
