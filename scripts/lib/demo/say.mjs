// @ts-check
/** How the demo talks: short lines with the time of day, and what belongs to a line under it. */

/**
 * @typedef {object} Say
 * @property {(text: string) => void} now a line with the time
 * @property {(text: string) => void} more a line that belongs to the one above
 * @property {() => void} gap
 */

/**
 * @param {(line: string) => void} write takes a line without its end
 * @param {() => Date} clock
 * @returns {Say}
 */
export function createSay(write, clock) {
  const time = () => {
    const now = clock();
    return [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
  };
  return {
    now: (text) => write(`${time()}  ${text}`),
    more: (text) => write(`          ${text}`),
    gap: () => write(''),
  };
}

/**
 * @param {number} ms
 * @returns {string} `2 min 05 s`
 */
export function duration(ms) {
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(rest).padStart(2, '0')} s`;
}
