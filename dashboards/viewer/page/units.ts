/** Numbers as people read them, by Grafana's unit ids and with its three significant digits. */
import type { Unit } from '../../shared/supported.ts';

/** A number's digits and its unit, apart, so that the unit can be set smaller. `suffix` brings its own space. */
export interface Formatted {
  text: string;
  suffix: string;
}

type Formatter = (value: number, decimals: number | undefined) => Formatted;

/** Three significant digits; whole numbers have no decimals. */
function digits(value: number, decimals: number | undefined): string {
  if (value === 0) return '0';
  const places = decimals ?? (value % 1 === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(Math.min(places, 20));
}

/** [size of one in the base unit, suffix], descending; the last one takes the rest. */
type Ladder = readonly (readonly [number, string])[];

function scaled(ladder: Ladder): Formatter {
  return (value, decimals) => {
    const rung = ladder.find(([size]) => Math.abs(value) >= size) ?? ladder.at(-1) ?? [1, ''];
    if (value === 0) return { text: '0', suffix: ladder.find(([size]) => size === 1)?.[1] ?? rung[1] };
    return { text: digits(value / rung[0], decimals), suffix: rung[1] };
  };
}

const counts = (suffix: string): Ladder => [
  [1e12, `T${suffix}`],
  [1e9, `B${suffix}`],
  [1e6, `M${suffix}`],
  [1e3, `K${suffix}`],
  [1, suffix],
];
const bytes = (base: number, names: readonly string[]): Ladder =>
  names.map((name, index) => [base ** index, ` ${name}`] as const).toReversed();
const times = (msPerUnit: number): Ladder => [
  [31_536_000_000 / msPerUnit, ' y'],
  [86_400_000 / msPerUnit, ' d'],
  [3_600_000 / msPerUnit, ' h'],
  [60_000 / msPerUnit, ' min'],
  [1_000 / msPerUnit, ' s'],
];
const MS: Ladder = [...times(1), [1, ' ms']];
const S: Ladder = [...times(1_000).slice(0, -1), [1, ' s'], [1e-3, ' ms'], [1e-6, ' µs'], [1e-9, ' ns']];
const NS: Ladder = [...times(1e-6), [1e6, ' ms'], [1e3, ' µs'], [1, ' ns']];

const plain: Formatter = (value, decimals) => ({ text: digits(value, decimals), suffix: '' });

const FORMATTERS: Readonly<Record<Unit, Formatter>> = {
  none: plain,
  string: plain,
  short: scaled([
    [1e12, ' Tri'],
    [1e9, ' Bil'],
    [1e6, ' Mil'],
    [1e3, ' K'],
    [1, ''],
  ]),
  locale: (value, decimals) => ({
    text: value.toLocaleString('en-US', { maximumFractionDigits: decimals ?? 2 }),
    suffix: '',
  }),
  ns: scaled(NS),
  ms: scaled(MS),
  s: scaled(S),
  percent: (value, decimals) => ({ text: digits(value, decimals), suffix: '%' }),
  percentunit: (value, decimals) => ({ text: digits(value * 100, decimals), suffix: '%' }),
  reqps: scaled(counts(' req/s')),
  ops: scaled(counts(' ops/s')),
  bytes: scaled(bytes(1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'])),
  decbytes: scaled(bytes(1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'])),
  Bps: scaled(bytes(1000, ['B/s', 'kB/s', 'MB/s', 'GB/s', 'TB/s', 'PB/s'])),
  dateTimeFromNow: (value) => ({ text: fromNow(value - Date.now()), suffix: '' }),
  dateTimeAsIso: (value) => ({ text: localTime(value), suffix: '' }),
};

/** A number in its unit. Unknown units are drawn as plain numbers; the boards' lint keeps them out. */
export function formatValue(unit: string | undefined, value: number, decimals?: number): Formatted {
  const formatter = Object.hasOwn(FORMATTERS, unit ?? '') ? FORMATTERS[unit as Unit] : plain;
  return formatter(value, decimals);
}

/** The same as one text. */
export function formatText(unit: string | undefined, value: number, decimals?: number): string {
  const { text, suffix } = formatValue(unit, value, decimals);
  return text + suffix;
}

const decimals = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index).flatMap((power) =>
    [1, 2, 2.5, 5].map((digit) => Number(`${digit}e${power}`)),
  );
const clock = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
const days = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((day) => day * 86_400);
const timeSteps = (unitsPerSecond: number): number[] => [
  ...decimals(-9, -1).map((step) => step * unitsPerSecond),
  ...[...clock, ...days.slice(1)].map((step) => step * unitsPerSecond),
];

/** Distances between the marks of an axis that read as round in the unit, ascending; undefined where powers of ten do. */
export function axisSteps(unit: string | undefined): number[] | undefined {
  if (unit === 's') return timeSteps(1);
  if (unit === 'ms') return timeSteps(1e3);
  if (unit === 'ns') return timeSteps(1e9);
  return unit === 'bytes' ? Array.from({ length: 51 }, (_, power) => 2 ** power) : undefined;
}

/** `12 s ago`, `in 3 min`: a signed distance in ms. */
export function fromNow(distanceMs: number): string {
  const seconds = Math.round(Math.abs(distanceMs) / 1000);
  const steps = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const;
  const [size, name] = steps.find(([each]) => seconds >= each) ?? [1, 's'];
  const text = `${Math.floor(seconds / size)} ${name}`;
  return distanceMs > 999 ? `in ${text}` : `${text} ago`;
}

const two = (value: number) => String(value).padStart(2, '0');

/** `2026-01-02 03:04:05` in the browser's time zone. */
export function localTime(ms: number): string {
  const at = new Date(ms);
  return `${localDay(ms)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `2026-01-02` in the browser's time zone. */
export function localDay(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** `03:04` in the browser's time zone. */
export function localMinute(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}
