/** The width of a panel's time buckets, chosen as Grafana chooses it. */

/** [below this many ms, use this many ms], ascending; the steps of Grafana's `roundInterval`. */
const STEPS: readonly (readonly [number, number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1_500, 1_000],
  [3_500, 2_000],
  [7_500, 5_000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_800_000, 2_592_000_000],
];
const YEAR_MS = 31_536_000_000;

/** Bucket width in ms for a range drawn with at most `maxDataPoints`, never below `minMs`. */
export function intervalMs(rangeMs: number, maxDataPoints: number, minMs: number): number {
  const exact = rangeMs / Math.max(1, maxDataPoints);
  const rounded = STEPS.find(([below]) => exact < below)?.[1] ?? YEAR_MS;
  return Math.max(rounded, minMs);
}

/** A panel's `interval` (`1m`, `30s`, `1h`, with an optional `>`) in ms; undefined where it is no duration. */
export function parseInterval(text: string): number | undefined {
  const match = /^>?(\d+)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  return Number(match[1]) * (unitMs[match[2] ?? ''] ?? 1);
}
