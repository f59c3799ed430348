// @ts-check
/**
 * Ends what the demo started when the demo itself is killed. It reads process ids from the demo, `+1234` for started and
 * `-1234` for ended, and when that pipe closes it ends those that are left, last started first.
 */
import { createInterface } from 'node:readline';

/** @type {number[]} */
const running = [];

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (line.startsWith('+')) running.push(pid);
  else running.splice(running.indexOf(pid), 1);
}
for (const pid of running.toReversed()) {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // it ended with the demo
  }
}
