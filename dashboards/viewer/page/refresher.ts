/** Periodic refresh that rests while nobody looks. */

export interface Refresher {
  /** Milliseconds between refreshes, or undefined for none. */
  set(everyMs: number | undefined): void;
}

/** Calls `refresh` at the interval. In a hidden tab nothing runs; what fell due is made up for when it is shown again. */
export function createRefresher(refresh: () => void): Refresher {
  let everyMs: number | undefined;
  let timer: number | undefined;
  let due = false;
  const arm = () => {
    clearTimeout(timer);
    if (everyMs !== undefined) timer = setTimeout(fire, everyMs);
  };
  const fire = () => {
    if (document.hidden) {
      due = true;
      return;
    }
    refresh();
    arm();
  };
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || !due) return;
    due = false;
    fire();
  });
  return {
    set(next) {
      everyMs = next;
      due = false;
      arm();
    },
  };
}

/** `30s` or `1m` in ms; undefined for anything else, which means off. */
export function refreshMs(text: string): number | undefined {
  const match = /^(\d+)([smh])$/.exec(text);
  if (match === null) return undefined;
  const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };
  return Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0);
}
