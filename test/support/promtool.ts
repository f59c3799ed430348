import { spawnSync } from 'node:child_process';

/** What `promtool check metrics` says of a scrape: status 0 and nothing where it is pleased. */
export function peerLint(scrape: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: scrape, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
