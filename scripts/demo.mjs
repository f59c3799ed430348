// `npm run demo`: a small Go shop, its traffic, its faults, and Heliograph watching. With --exit it ends by itself, with
// code 0 where both alerts arrived; without, it stays up until Ctrl-C.
import { runDemo, Interrupted } from './lib/demo/demo.mjs';
import { createSay } from './lib/demo/say.mjs';
import { hasGo } from './lib/demo/scene.mjs';
import { ensureBuilt, ensureInstalled, requirePlatform, say as tell } from './lib/prepare.mjs';

const unknown = process.argv.slice(2).find((argument) => argument !== '--exit');
if (unknown !== undefined) {
  tell(`demo: ${unknown} is not known; there is --exit`);
  process.exit(2);
}
requirePlatform();
if (!hasGo()) {
  tell(
    'demo: Go is not on PATH. The shop that the demo watches is written in Go: install it from https://go.dev/dl, or point',
  );
  tell('      a service of your own at Heliograph (npm start).');
  process.exit(1);
}
ensureInstalled({ dev: false });
ensureBuilt();

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort(new Interrupted()));
process.exitCode = await runDemo({
  exitWhenDone: process.argv.includes('--exit'),
  stop,
  say: createSay(
    (line) => process.stdout.write(`${line}\n`),
    () => new Date(),
  ),
});
