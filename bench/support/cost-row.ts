/** One line of a table that compares loads end to end. */
import type { HeliographRun } from './heliograph-run.ts';

export const COST_COLUMNS = [
  '',
  'spans/s acked',
  'spans/s end to end',
  'bodies/s',
  'B/span on the wire',
  'main µs/span',
  'engine µs/span',
  'CPU µs/span',
  'ack p50 ms',
  'ack p99 ms',
  'peak MiB',
  'refused',
  'sender cores',
] as const;

export function costRow(name: string, run: HeliographRun): (string | number)[] {
  const { sent, wallS, mainCpuS, engineCpuS, mergeCpuS, peakMiB } = run;
  const us = (cpuS: number): number => (cpuS / sent.spans) * 1e6;
  return [
    name,
    sent.spans / sent.elapsedS,
    sent.spans / wallS,
    sent.bodies / sent.elapsedS,
    sent.bytes / sent.spans,
    us(mainCpuS),
    us(engineCpuS + mergeCpuS),
    us(mainCpuS + engineCpuS + mergeCpuS),
    sent.ackP50Ms,
    sent.ackP99Ms,
    peakMiB,
    sent.refused + sent.failed,
    (sent.cpuS / sent.elapsedS).toFixed(2),
  ];
}
