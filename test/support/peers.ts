import { existsSync } from 'node:fs';
import { test } from 'vitest';

/** Whether a command is on PATH. */
export function onPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/${command}`));
}

/**
 * A test that speaks to a real peer. Where the peer's command is not on PATH it is skipped and named; with CI=true its
 * absence fails.
 */
export function peerTest(command: string, name: string, run: () => Promise<void>): void {
  const title = `${name} [peer: ${command}]`;
  if (onPath(command)) return void test(title, run, 120_000);
  if (process.env['CI'] === 'true') {
    return void test(title, () => {
      throw new Error(`${command} is not on PATH: run npm run setup`);
    });
  }
  console.warn(`SKIPPED, ${command} is not on PATH (npm run setup installs it): ${name}`);
  test.skip(title, run);
}
