// @ts-check
/** The alerts that arrived so far, and waiting for one that has not. */

/** @typedef {import('./alert-text.mjs').Alert} Alert */

/**
 * @typedef {object} Inbox
 * @property {(alert: Alert) => void} add
 * @property {(reason: string) => void} refuse
 * @property {() => readonly string[]} refused reasons for which deliveries were turned away
 * @property {(matches: (alert: Alert) => boolean, limitMs: number, signal: AbortSignal) => Promise<Alert | undefined>} waitFor
 *   an alert that arrives from now on; undefined when the limit passes first. Rejects with the signal's reason.
 */

/** @returns {Inbox} */
export function createInbox() {
  /** @type {Set<(alert: Alert) => void>} */
  const listeners = new Set();
  /** @type {string[]} */
  const refused = [];
  return {
    add: (alert) => listeners.forEach((listener) => listener(alert)),
    refuse: (reason) => void refused.push(reason),
    refused: () => refused,
    waitFor: (matches, limitMs, signal) =>
      new Promise((resolve, reject) => {
        const settle = (/** @type {() => void} */ how) => {
          clearTimeout(timer);
          listeners.delete(listener);
          signal.removeEventListener('abort', abort);
          how();
        };
        const listener = (/** @type {Alert} */ alert) => {
          if (matches(alert)) settle(() => resolve(alert));
        };
        const abort = () => settle(() => reject(signal.reason));
        const timer = setTimeout(() => settle(() => resolve(undefined)), limitMs);
        listeners.add(listener);
        signal.addEventListener('abort', abort, { once: true });
        if (signal.aborted) abort();
      }),
  };
}

/**
 * Whether an alert says of checkout what the demo did to it. Other alerts may come beside it: a pool of connections that grows
 * while everything is slow looks much like a leak.
 * @param {Alert} alert
 * @param {RegExp} kind looked for in the names of alert and rule
 * @param {RegExp} place looked for in labels and evidence: the route or the function that is to blame
 */
export function isAboutCheckout({ status, labels, annotations }, kind, place) {
  const names = [labels['alertname'], labels['rule']].join(' ');
  const evidence = [...Object.values(labels), ...Object.values(annotations)];
  return (
    status === 'firing' &&
    kind.test(names) &&
    Object.values(labels).some((value) => value.startsWith('checkout')) &&
    evidence.some((value) => place.test(value))
  );
}
