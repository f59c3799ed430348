// A background thread with one job: it does what it is told over a broadcast channel, through the built remote sink.
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';
import { createRemoteSink } from '../../../dist/app/background/remote-sink.js';
import { messageLog } from '../../../dist/app/workers/message-log.js';

const sink = createRemoteSink((event, transfer) => parentPort.postMessage(event, transfer));
const log = messageLog((line) => parentPort.postMessage({ log: line }));
const orders = new BroadcastChannel(workerData.channel);

orders.onmessage = ({ data }) => void obey(data);

async function obey({ crash, covered, ignoreStop, rows }) {
  if (crash) process.exit(3);
  if (covered !== undefined) parentPort.postMessage({ covered });
  if (ignoreStop) orders.ignoreStop = true;
  if (rows === undefined) return;
  const outcome = await sink.append('git_tips', rows).then(
    () => 'durable',
    (error) => ({ code: error.code, retryAfterSeconds: error.retryAfterSeconds }),
  );
  orders.postMessage({ outcome });
}

parentPort.on('message', (command) => {
  if ('appended' in command) return sink.answered(command.appended);
  if (!orders.ignoreStop) parentPort.postMessage({ stopped: true });
});
log.info({ error: new Error('kept as text') }, 'thread is up');
