// @ts-check
/** The story: a month of work, a quiet shop, a deploy that makes it slow, a leak; and what Heliograph says of both. */
import { setTimeout as sleep } from 'node:timers/promises';
import { deployment, pastDeployments } from './deployments.mjs';
import { hooksOf } from './github.mjs';
import { nextVersion, planHistory } from './history.mjs';
import { isAboutCheckout } from './inbox.mjs';
import { goroutinesOf, ordersLastMinute, switchOn } from './observe.mjs';
import { addCommits, createRepository, readSources } from './repository.mjs';
import { duration } from './say.mjs';
import { loopback, startService } from './scene.mjs';
import { sendDeployments, sendHooks } from './send.mjs';

/** @typedef {import('./github.mjs').Pushed} Pushed */
/** @typedef {import('./history.mjs').Commit} Commit */
/** @typedef {import('./processes.mjs').Running} Running */
/** @typedef {import('./say.mjs').Say} Say */
/** @typedef {import('./scene.mjs').Folders} Folders */
/** @typedef {import('./scene.mjs').ShopPorts} ShopPorts */

/**
 * What the story needs while it is told.
 * @typedef {object} Scene
 * @property {Say} say
 * @property {AbortSignal} signal
 * @property {import('./processes.mjs').Processes} processes
 * @property {import('./inbox.mjs').Inbox} inbox
 * @property {Folders} at
 * @property {ShopPorts} ports
 * @property {string} pageUrl
 * @property {string} otlpUrl
 * @property {string} githubSecret
 * @property {Past} past
 * @property {string} sources folder of go-shop
 * @property {Pace} pace
 */

/** What the repository holds when the shop opens. @typedef {{head: string, pushes: Pushed[]}} Past */

/** Files that the next version changes. */
const NEXT_CHANGES = ['internal/checkout/stock.go', 'internal/checkout/score.go'];
/** What the alerts must name. */
const SLOW_ROUTE = /\/orders\b/;
const LEAKING = /scoring\)\.score/;
const CI_RUNS = 24;
/** The history ends this long before the demo begins, so that the next commit has room. */
const QUIET_SECONDS = 1800;
const NEXT_AGE_SECONDS = 480;
const MINUTE_MS = 60_000;

/**
 * How long things may take.
 * @typedef {object} Pace
 * @property {(nowMs: number) => number} quietUntil when the quiet shop has run long enough, in Unix milliseconds
 * @property {number} reportMs between two lines that say how it goes
 * @property {number} latencyLimitMs for the alert after the deploy
 * @property {number} goroutinesLimitMs for the alert after the leak began
 */

/** @type {Pace} */
export const PACE = {
  // Rollups are by whole minutes: three of them, and a moment for the last spans to arrive.
  quietUntil: (nowMs) => Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS + 3 * MINUTE_MS + 1000,
  reportMs: 20_000,
  latencyLimitMs: 180_000,
  goroutinesLimitMs: 210_000,
};

/**
 * Writes the repository of the shop with its history up to the version that runs first.
 * @param {{say: Say, at: Folders, sources: string, nowMs: number}} given `sources`: folder of go-shop
 * @returns {Past}
 */
export function writeRepository({ say, at, sources, nowMs }) {
  const plan = planHistory(readSources(sources), NEXT_CHANGES, Math.floor(nowMs / 1000) - QUIET_SECONDS);
  createRepository(at.repository);
  const shas = addCommits(at.repository, plan);
  const pushes = pushesOf(plan, shas);
  const people = new Set(plan.map(({ author }) => author.email)).size;
  say.now(`Repository  ${plan.length} commits of four weeks, from ${people} addresses`);
  return { head: shas.at(-1) ?? '', pushes };
}

/**
 * @param {readonly Commit[]} plan
 * @param {readonly string[]} shas of the commits, in the same order
 * @returns {Pushed[]}
 */
function pushesOf(plan, shas) {
  const shaOf = (/** @type {number | undefined} */ mark) => shas[(mark ?? 0) - 1] ?? '0'.repeat(40);
  return plan
    .filter(({ onMain }) => onMain)
    .map(({ mark, parents, message, author, seconds }) => ({
      sha: shaOf(mark),
      before: shaOf(parents[0]),
      subject: message.split('\n')[0] ?? '',
      login: author.name.toLowerCase().replaceAll(' ', '-'),
      seconds,
    }));
}

/**
 * Sends what happened before today.
 * @param {Scene} scene
 */
export async function sendPast({ say, pageUrl, githubSecret, past: { pushes } }) {
  const hooks = hooksOf(pushes.slice(-CI_RUNS), { firstRun: pushes.length - CI_RUNS });
  report(say, 'CI', `${CI_RUNS} runs as webhooks, signed`, await sendHooks(pageUrl, githubSecret, hooks));
  const deployments = pastDeployments(pushes);
  report(say, 'Deploys', `${deployments.length} of the past weeks`, await sendDeployments(pageUrl, deployments));
}

/**
 * @param {Say} say
 * @param {string} what
 * @param {string} text
 * @param {import('./send.mjs').Outcome} outcome
 */
function report(say, what, text, { refused, reason }) {
  if (refused === 0) say.now(`${what.padEnd(10)}  ${text}`);
  else say.now(`${what.padEnd(10)}  ${text}: ${refused} NOT TAKEN, ${reason}`);
}

/**
 * Opens the shop in its first version. Returns checkout, which is replaced later.
 * @param {Scene} scene
 * @returns {Promise<Running>}
 */
export async function openShop({ say, signal, processes, at, ports, pageUrl, otlpUrl, past: { head } }) {
  const startedSeconds = Math.floor(Date.now() / 1000);
  const common = { ports, otlpUrl, version: '1.0.0', sha: head, signal };
  await startService(processes, at, { service: 'inventory', ...common });
  const checkout = await startService(processes, at, { service: 'checkout', ...common });
  await startService(processes, at, { service: 'storefront', ...common });
  const finishedSeconds = Math.floor(Date.now() / 1000);
  const event = { service: 'checkout', version: '1.0.0', sha: head, startedSeconds, finishedSeconds };
  const outcome = await sendDeployments(pageUrl, [deployment(event)]);
  report(say, 'Shop', 'storefront, checkout and inventory 1.0.0', outcome);
  return checkout;
}

/**
 * Lets the quiet shop run until there is something to compare with, and says how it goes meanwhile.
 * @param {Scene} scene
 */
export async function waitForBaseline({ say, signal, pageUrl, pace }) {
  const untilMs = pace.quietUntil(Date.now());
  say.now(`Waiting     ${duration(untilMs - Date.now())}, until there are quiet minutes to compare with`);
  const sayOrders = ordersReport(say, pageUrl);
  while (Date.now() < untilMs) {
    await sleep(Math.min(pace.reportMs, untilMs - Date.now()), undefined, { signal });
    await sayOrders();
  }
}

/**
 * A function that says how the orders went in the last whole minute, once for each minute.
 * @param {Say} say
 * @param {string} pageUrl
 * @returns {() => Promise<void>}
 */
function ordersReport(say, pageUrl) {
  let saidMs = 0;
  return async () => {
    const orders = await ordersLastMinute(pageUrl, Date.now());
    if (orders === undefined || orders.minuteMs <= saidMs) return;
    saidMs = orders.minuteMs;
    const { count, p50Ms, p95Ms } = orders;
    say.now(`Orders      ${count} in the last minute, p50 ${p50Ms.toFixed(0)} ms, p95 ${p95Ms.toFixed(0)} ms`);
  };
}

/**
 * Deploys the version that asks inventory too often.
 * @param {Scene} scene
 * @param {Running} checkout the version that is replaced
 */
export async function deployNext(scene, checkout) {
  const { say, signal, processes, at, ports, pageUrl, otlpUrl, githubSecret, past, sources } = scene;
  const startedSeconds = Math.floor(Date.now() / 1000);
  const commit = nextVersion(readSources(sources), NEXT_CHANGES, startedSeconds - NEXT_AGE_SECONDS);
  const [sha = ''] = addCommits(at.repository, [commit], { onMain: true });
  const [pushed] = pushesOf([commit], [sha]);
  if (pushed === undefined) throw new Error('the next version has no commit');
  const hooks = hooksOf([{ ...pushed, before: past.head }], { firstRun: past.pushes.length });
  const ci = await sendHooks(pageUrl, githubSecret, hooks);
  await checkout.stop();
  await startService(processes, at, { service: 'checkout', ports, otlpUrl, version: '1.1.0', sha, signal });
  await switchOn(loopback(ports.checkout.admin), 'slow');
  const finishedSeconds = Math.floor(Date.now() / 1000);
  const event = { service: 'checkout', version: '1.1.0', sha, startedSeconds, finishedSeconds };
  const outcome = await sendDeployments(pageUrl, [deployment(event)]);
  say.gap();
  report(
    say,
    'DEPLOY',
    `checkout 1.1.0, commit ${sha.slice(0, 10)}: “${pushed.subject}”`,
    ci.refused > 0 ? ci : outcome,
  );
  say.more('            It asks inventory once per article: +400 ms on three of five orders.');
}

/**
 * Waits for the alert on latency. Returns why the demo failed, or undefined.
 * @param {Scene} scene
 * @returns {Promise<string | undefined>}
 */
export async function waitForLatency({ say, signal, inbox, pageUrl, pace }) {
  const startedMs = Date.now();
  const limitMs = pace.latencyLimitMs;
  const stop = sayEvery(pace.reportMs, ordersReport(say, pageUrl));
  const alert = await inbox
    .waitFor((each) => isAboutCheckout(each, /latency|slow|p99/i, SLOW_ROUTE), limitMs, signal)
    .finally(stop);
  if (alert === undefined) return missing('latency', limitMs, inbox.refused());
  say.now(`Noticed     ${duration(Date.now() - startedMs)} after the deploy, with a good signature`);
  return undefined;
}

/**
 * Turns the leak on and waits for the alert on goroutines. Returns why the demo failed, or undefined.
 * @param {Scene} scene
 * @returns {Promise<string | undefined>}
 */
export async function leakAndWait({ say, signal, inbox, ports, pace }) {
  const admin = loopback(ports.checkout.admin);
  await switchOn(admin, 'leak');
  const startedMs = Date.now();
  say.gap();
  say.now('LEAK        checkout now leaves a goroutine behind per order');
  const stop = sayEvery(pace.reportMs, async () => say.now(`Goroutines  ${await goroutinesOf(admin)} in checkout`));
  const limitMs = pace.goroutinesLimitMs;
  const alert = await inbox
    .waitFor((each) => isAboutCheckout(each, /goroutine|leak/i, LEAKING), limitMs, signal)
    .finally(stop);
  if (alert === undefined) return missing('goroutine', limitMs, inbox.refused());
  say.now(`Noticed     ${duration(Date.now() - startedMs)} after the leak began, with a good signature`);
  return undefined;
}

/**
 * Says something now and then, until the returned function is called. What cannot be said is left out.
 * @param {number} everyMs
 * @param {() => Promise<void>} speak
 * @returns {() => void}
 */
function sayEvery(everyMs, speak) {
  const timer = setInterval(() => void speak().catch(() => {}), everyMs);
  return () => clearInterval(timer);
}

/**
 * @param {string} kind
 * @param {number} limitMs
 * @param {readonly string[]} refused
 */
function missing(kind, limitMs, refused) {
  const why = refused.length === 0 ? '' : `; turned away: ${refused.length}, the first with ${refused[0]}`;
  return `no ${kind} alert about checkout arrived within ${duration(limitMs)}${why}`;
}
