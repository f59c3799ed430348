// `npm run setup`: installs the real peers that the tests speak to. Needed for CI; without it those tests are skipped, by name.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, requirePlatform, ROOT, say } from './lib/prepare.mjs';

/** Command that a test looks for -> Debian package that brings it. */
const DEBIAN_PEERS = { promtool: 'prometheus', prometheus: 'prometheus', git: 'git' };

requirePlatform();
ensureInstalled({ dev: true });
installDebianPeers();
downloadGoModules();

function installDebianPeers() {
  const missing = Object.entries(DEBIAN_PEERS).filter(([command]) => !onPath(command));
  if (missing.length === 0) return;
  if (!onPath('apt-get') || process.getuid?.() !== 0) {
    say(
      `Not installed (needs apt-get as root): ${missing.map(([, name]) => name).join(', ')}. Their tests will be skipped.`,
    );
    return;
  }
  const apt = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } };
  const packages = [...new Set(missing.map(([, name]) => name))];
  say(`Installing from Debian: ${packages.join(', ')}`);
  const ok = [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ].every((args) => spawnSync('apt-get', args, apt).status === 0);
  if (!ok) process.exit(1);
}

function downloadGoModules() {
  if (!onPath('go')) return say('Go is not on PATH: the tests against Go peers will be skipped.');
  const peers = join(ROOT, 'test', 'peers');
  const shop = join(ROOT, 'examples', 'go-shop');
  for (const folder of [shop, ...readdirSync(peers).map((name) => join(peers, name))]) {
    if (!existsSync(join(folder, 'go.mod'))) continue;
    // The flags of the builds to come: what they need is then in Go's cache.
    const flags = folder === shop ? ['-trimpath'] : [];
    const { status } = spawnSync('go', ['build', ...flags, '-o', '/dev/null', './...'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0) process.exit(1);
  }
}

function onPath(command) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)));
}
