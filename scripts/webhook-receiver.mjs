// Prints the alerts that Heliograph sends, after it has checked their signature:
//   node scripts/webhook-receiver.mjs --secret-file ./webhook.secret [--host 127.0.0.1] [--port 9095]
// Runs until SIGTERM or SIGINT. It is the receiver of npm run demo, for compose and for trying webhooks out by hand.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { alertLines } from './lib/demo/alert-text.mjs';
import { startReceiver } from './lib/demo/receiver.mjs';
import { createSay } from './lib/demo/say.mjs';

const USAGE = 'usage: webhook-receiver --secret-file <path> [--host <address>] [--port <number>]';
const options = /** @type {const} */ ({
  'secret-file': { type: 'string' },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '9095' },
});

function fail(reason) {
  console.error(`webhook-receiver: ${reason}`);
  process.exit(2);
}

function readOptions() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`);
  }
}

const { 'secret-file': secretFile, host, port } = readOptions();
if (secretFile === undefined) fail(USAGE);

/** The line end that most editors leave behind is no part of a secret. */
function readSecret() {
  try {
    return readFileSync(secretFile, 'utf8').trimEnd();
  } catch (error) {
    return fail(`the secret cannot be read: ${error.message}`);
  }
}

const secret = readSecret();
if (secret === '') fail(`${secretFile} is empty`);
const say = createSay(
  (line) => process.stdout.write(`${line}\n`),
  () => new Date(),
);
const receiver = await startReceiver({
  secret,
  host,
  port: Number(port),
  onAlert: (alert) => {
    const [headline = '', ...facts] = alertLines(alert);
    say.now(headline);
    for (const fact of facts) say.more(fact);
  },
  onRefused: (reason) => say.now(`REFUSED  ${reason}`),
}).catch((error) => fail(error.message));
say.now(`receives at ${receiver.url}`);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void receiver.close());
