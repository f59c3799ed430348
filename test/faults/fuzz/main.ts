/** `npm run faults -- fuzz [--bodies 1000000] [--from 0] [--seed 1] [--now ms] [--format protobuf|json|both] [--batch 4000] [--cases dir]` */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BodyFormat } from '../../../core/ports.ts';
import { type FuzzReport, isTaken, runFuzz } from './run.ts';

const { values } = parseArgs({
  options: {
    bodies: { type: 'string', default: '1000000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    now: { type: 'string' },
    format: { type: 'string', default: 'both' },
    batch: { type: 'string', default: '4000' },
    cases: { type: 'string', default: join(tmpdir(), 'heliograph-fuzz-cases') },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function print(format: BodyFormat, report: FuzzReport): void {
  const rows: [string, string | number][] = [
    ['bodies', report.bodies],
    ['passed the door', report.passed],
    ...Object.entries(report.refused).map(([code, count]): [string, number] => [`refused: ${code}`, count]),
    ['spans accepted by the door', report.acceptedSpans],
    ['spans stored', report.storedSpans],
    ['bodies quarantined', report.quarantined],
    ...Object.entries(report.quarantineReasons).map(([reason, count]): [string, number] => [`  ${reason}`, count]),
    ['bodies/s, load included', (report.bodies / report.seconds).toFixed(0)],
    ['peak memory of the door, MiB', report.peakMiB.toFixed(0)],
    ['longest body, ms', `${report.longestMs.toFixed(1)} (body ${report.longestIndex})`],
    ['violations', report.violations.length],
  ];
  say(`\n| ${format} | |\n|---|---:|`);
  for (const [name, value] of rows) say(`| ${name} | ${value} |`);
}

async function main(): Promise<void> {
  const formats = (['protobuf', 'json'] as const).filter(
    (format) => values.format === 'both' || values.format === format,
  );
  let violations = 0;
  for (const format of formats) {
    if (!isTaken(format)) {
      say(`LEFT OUT: ${format}: this build has no lane for it`);
      continue;
    }
    const report = await runFuzz({
      format,
      bodies: Number(values.bodies),
      from: Number(values.from),
      seed: Number(values.seed),
      nowMs: values.now === undefined ? undefined : Number(values.now),
      batch: Number(values.batch),
      casesDir: values.cases,
      say,
    });
    print(format, report);
    violations += report.violations.length;
  }
  process.exit(violations === 0 ? 0 : 1);
}

void main();
