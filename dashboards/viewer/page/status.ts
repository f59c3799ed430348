/** The line at the foot of the page: how fresh the data is, and what is wrong if something is. */
import type { ApiError } from './api.ts';
import { h } from './dom.ts';
import type { LoadOutcome } from './panel.ts';
import { formatText, fromNow, localTime } from './units.ts';

export interface StatusLine {
  element: HTMLElement;
  banner: HTMLElement;
  /** Says what a refresh of all panels came to. `retryMs`: when the page tries again by itself, if it does. */
  report(outcomes: readonly LoadOutcome[], retryMs: number | undefined): void;
  /** Moves the ages on. */
  tick(): void;
}

/** Builds the line, and the banner that stands under the bar while nothing works. */
export function createStatus(): StatusLine {
  const freshness = h('span', { class: 'freshness' });
  const loaded = h('span');
  const zone = h('span', {}, `Times in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`);
  const banner = h('div', { class: 'banner', role: 'alert', hidden: true });
  const element = h('footer', { class: 'status' }, freshness, h('span', { class: 'spacer' }), loaded, zone);
  let asOfMs: number | undefined;
  let coverage: number | null = null;
  let loadedMs: number | undefined;

  const tick = () => {
    const age = asOfMs === undefined ? undefined : Date.now() - asOfMs;
    const covered =
      coverage === null ? 'coverage unknown' : `received in ${formatText('percentunit', coverage)} of this range`;
    freshness.textContent =
      age === undefined || asOfMs === undefined
        ? `Nothing stored yet · ${covered}`
        : `Data as of ${localTime(asOfMs)} (${fromNow(-age)}) · ${covered}`;
    loaded.textContent = loadedMs === undefined ? '' : `Loaded ${fromNow(loadedMs - Date.now())}`;
  };
  return {
    element,
    banner,
    report(outcomes, retryMs) {
      const failed = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
      const loadedWell = outcomes.filter((outcome) => 'meta' in outcome);
      const good = loadedWell.find((outcome) => outcome.meta.asOf !== null) ?? loadedWell[0];
      if (good !== undefined) {
        asOfMs = good.meta.asOf === null ? undefined : Date.parse(good.meta.asOf);
        coverage = good.meta.coverage;
        loadedMs = Date.now();
        tick();
      }
      const down = failed.length > 0 && good === undefined;
      banner.hidden = !down;
      if (down) banner.textContent = downText(failed[0], retryMs);
    },
    tick,
  };
}

function downText(error: ApiError | undefined, retryMs: number | undefined): string {
  const again = retryMs === undefined ? '' : ` Trying again every ${Math.round(retryMs / 1000)} s.`;
  if (error?.code === 'unreachable') return `Heliograph is down or out of reach. What is shown may be old.${again}`;
  return `No panel could be loaded: ${(error?.message ?? '').replace(/\.?$/, '.')}${again}`;
}
