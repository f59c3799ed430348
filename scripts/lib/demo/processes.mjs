// @ts-check
/** The processes that the demo starts, and their end. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const GRACE_MS = 10_000;

/**
 * @typedef {object} Running
 * @property {string} name
 * @property {number} pid
 * @property {string} logPath
 * @property {() => Promise<void>} stop ends it and waits for its end; once it has ended, does nothing
 */

/**
 * @typedef {object} Processes
 * @property {(name: string, command: string, args: readonly string[], options: StartOptions) => Running} start
 * @property {() => Promise<void>} stopAll ends everything that still runs, last started first
 * @property {Promise<never>} failed rejects when a process ends that nobody stopped
 */

/**
 * @typedef {object} StartOptions
 * @property {string} cwd
 * @property {Record<string, string | undefined>} env the whole environment of the process
 * @property {string} logPath where its output is appended
 */

/**
 * A registry of processes. Each is a group of its own, so that Ctrl-C reaches the demo alone and things end in order.
 * @returns {Processes}
 */
export function createProcesses() {
  /** @type {Running[]} */
  const running = [];
  /** @type {(reason: Error) => void} */
  let fail = () => {};
  /** @type {Promise<never>} */
  const failed = new Promise((_, reject) => (fail = reject));
  failed.catch(() => {}); // whoever races against it sees it; nobody has to
  const tell = startWatch();
  return {
    failed,
    start: (name, command, args, options) => {
      const one = start(name, command, args, options, fail, tell);
      running.push(one);
      return one;
    },
    stopAll: async () => {
      for (const one of running.toReversed()) await one.stop();
    },
  };
}

/**
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} args
 * @param {StartOptions} options
 * @param {(reason: Error) => void} fail
 * @param {(line: string) => void} tell
 * @returns {Running}
 */
function start(name, command, args, { cwd, env, logPath }, fail, tell) {
  const log = openSync(logPath, 'a');
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  if (child.pid !== undefined) tell(`+${child.pid}`);
  const state = { stopping: false, over: false };
  const ended = new Promise((resolve) => {
    const end = (/** @type {string} */ how) => {
      state.over = true;
      if (child.pid !== undefined) tell(`-${child.pid}`);
      if (!state.stopping) fail(new Error(`${name} ended by itself (${how}); its last words are in ${logPath}`));
      resolve(undefined);
    };
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
    child.once('error', (error) => end(error.message));
  });
  const stop = async () => {
    state.stopping = true;
    if (state.over) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(timer);
  };
  return { name, pid: child.pid ?? -1, logPath, stop };
}

/**
 * A process that outlives this one by a moment, should this one be killed, and ends what it was told of.
 * @returns {(line: string) => void}
 */
function startWatch() {
  const script = fileURLToPath(new URL('watch.mjs', import.meta.url));
  const watch = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watch.on('error', () => {}); // then a demo that is killed leaves its processes, which `ps` shows
  watch.stdin.on('error', () => {});
  watch.unref();
  /** @type {import('node:net').Socket} */ (watch.stdin).unref();
  return (line) => void watch.stdin.write(`${line}\n`);
}
