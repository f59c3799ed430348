// @ts-check
/** `npm run demo` from the first step to the last: sets the scene, tells the story, ends everything that it started. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../prepare.mjs';
import { alertLines } from './alert-text.mjs';
import { heliographYaml } from './config.mjs';
import { createInbox } from './inbox.mjs';
import { freePort } from './ports.mjs';
import { createProcesses } from './processes.mjs';
import { startReceiver } from './receiver.mjs';
import { duration } from './say.mjs';
import {
  buildShop,
  folders,
  heliographPorts,
  loopback,
  prepareFolder,
  shopPorts,
  startHeliograph,
  startLoad,
} from './scene.mjs';
import {
  deployNext,
  leakAndWait,
  PACE,
  openShop,
  sendPast,
  waitForBaseline,
  waitForLatency,
  writeRepository,
} from './story.mjs';

/** @typedef {import('./say.mjs').Say} Say */
/** @typedef {import('./story.mjs').Scene} Scene */

const RECEIVER_PORT = 9095;
const BOARDS = /** @type {const} */ ([
  ['heliograph-service-latency', 'the jump of checkout’s orders, and the deploy before it'],
  ['heliograph-runtime', 'the goroutines of checkout'],
  ['heliograph-flamegraph', 'where checkout spends its time'],
  ['heliograph-contributors', 'who wrote it, as far as a team may know'],
  ['heliograph-ci', 'the runs, the flaky and the broken'],
]);

/** The person at the terminal has had enough. */
export class Interrupted extends Error {}

/**
 * Runs the demo. Returns its exit code: 0 where both alerts arrived, signed and in time; 1 where not, after saying why; 130
 * where it was interrupted before that.
 * @param {object} options
 * @param {boolean} options.exitWhenDone false: stays up until it is interrupted
 * @param {AbortController} options.stop aborted with `Interrupted` to end early
 * @param {Say} options.say
 * @param {string} [options.root] where everything is written
 * @param {typeof heliographYaml} [options.configText]
 * @param {import('./story.mjs').Pace} [options.pace]
 * @returns {Promise<number>}
 */
export async function runDemo({
  exitWhenDone,
  stop,
  say,
  root = join(ROOT, '.heliograph-demo'),
  configText = heliographYaml,
  pace = PACE,
}) {
  const startedMs = Date.now();
  const processes = createProcesses();
  processes.failed.catch((reason) => stop.abort(reason));
  /** @type {(() => Promise<void>)[]} */
  const closers = [];
  /** @type {number | undefined} what the story came to; an interruption after its end changes nothing of that */
  let code;
  try {
    const scene = await setScene({ say, stop, processes, root, configText, pace, closers });
    const failure = await tellStory(scene);
    say.gap();
    if (failure === undefined) say.now(`Done        both alerts arrived; ${duration(Date.now() - startedMs)} in all`);
    else say.now(`FAILED      ${failure}`);
    code = failure === undefined ? 0 : 1;
    if (!exitWhenDone) await stayUp(scene);
  } catch (error) {
    const reason = stop.signal.aborted ? stop.signal.reason : error;
    if (reason instanceof Interrupted) code ??= 130;
    else {
      say.now(`FAILED      ${/** @type {Error} */ (reason).message}`);
      code = 1;
    }
  } finally {
    await processes.stopAll();
    for (const close of closers) await close();
    say.now(`Stopped     everything; logs and data stay in ${root} until the next demo`);
  }
  return code;
}

/**
 * @param {{say: Say, stop: AbortController, processes: Scene['processes'], root: string,
 *   configText: typeof heliographYaml, pace: Scene['pace'], closers: (() => Promise<void>)[]}} given
 * @returns {Promise<Scene>}
 */
async function setScene({ say, stop, processes, root, configText, pace, closers }) {
  const { signal } = stop;
  const at = folders(root);
  const secrets = prepareFolder(at);
  buildShop(at);
  const inbox = createInbox();
  const receiver = await startReceiver({
    secret: secrets.webhook,
    port: await freePort(RECEIVER_PORT),
    onAlert: (alert) => {
      const [headline = '', ...facts] = alertLines(alert);
      say.gap();
      say.now(`WEBHOOK     ${headline}`);
      for (const fact of facts) say.more(fact);
      inbox.add(alert);
    },
    onRefused: (reason) => {
      say.now(`REFUSED     a delivery: ${reason}`);
      inbox.refuse(reason);
    },
  });
  closers.push(receiver.close);
  const ports = await shopPorts();
  const targets = /** @type {const} */ (['checkout', 'storefront', 'inventory']).map((service) => ({
    name: `${service}-1`,
    service,
    url: loopback(ports[service].admin),
  }));
  const sources = join(ROOT, 'examples', 'go-shop');
  const past = writeRepository({ say, at, sources, nowMs: Date.now() });
  writeFileSync(at.config, configText({ ...(await heliographPorts()), receiverUrl: receiver.url, targets }));
  const addresses = await startHeliograph(processes, at, signal);
  say.now(`Heliograph  ${addresses.pageUrl}`);
  return { say, signal, processes, inbox, at, ports, ...addresses, githubSecret: secrets.github, past, sources, pace };
}

/**
 * Returns why the demo failed, or undefined.
 * @param {Scene} scene
 * @returns {Promise<string | undefined>}
 */
async function tellStory(scene) {
  const { say, processes, at, ports } = scene;
  await sendPast(scene);
  const checkout = await openShop(scene);
  startLoad(processes, at, ports);
  say.now('Traffic     60 requests a second, 25 of them orders');
  await waitForBaseline(scene);
  await deployNext(scene, checkout);
  const slow = await waitForLatency(scene);
  const leak = await leakAndWait(scene);
  const failures = [slow, leak].filter((failure) => failure !== undefined);
  return failures.length === 0 ? undefined : failures.join('; ');
}

/**
 * Says what there is to see and waits.
 * @param {Scene} scene
 */
async function stayUp({ say, signal, pageUrl }) {
  say.gap();
  say.now('Look at');
  for (const [uid, what] of BOARDS) say.more(`  ${`${pageUrl}/d/${uid}`.padEnd(54)}  ${what}`);
  say.now('Ctrl-C ends it.');
  say.gap();
  await new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
