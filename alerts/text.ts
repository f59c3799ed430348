/** An alert in words: one sentence, a paragraph, and its figures one by one. */
import type { Enriched, GoroutineEvidence, LatencyEvidence } from './evidence.ts';
import type { Evidence, Resolution } from './types.ts';

export interface AlertText {
  /** One sentence. */
  summary: string;
  description: string;
  /** The figures as text, for receivers that only know annotations. */
  figures: Readonly<Record<string, string>>;
}

/** `resolution` is null for an alert that is not over. */
export function textOf(evidence: Evidence, latest: Evidence, resolution: Resolution | null): AlertText {
  if (evidence['kind'] === 'latency') {
    return latencyText(evidence as unknown as LatencyEvidence & Enriched, latest, resolution);
  }
  if (evidence['kind'] === 'goroutines') {
    return goroutineText(evidence as unknown as GoroutineEvidence & Enriched, resolution);
  }
  return foldedText(evidence, resolution);
}

function latencyText(evidence: LatencyEvidence & Enriched, latest: Evidence, resolution: Resolution | null): AlertText {
  const { service, route, before, after, increaseMs, increaseRatio, relativeError, slowestTraces, onset } = evidence;
  const share = increaseRatio === null ? '' : `, +${Math.round(increaseRatio * 100)} %`;
  const what = `p99 of ${route} in ${service}`;
  const rise = `from ${ms(before.p99Ms)} to ${ms(after.p99Ms)} (+${ms(increaseMs)}${share})`;
  const now = (latest as unknown as Partial<LatencyEvidence>).after;
  const over: Record<Resolution, string> = {
    recovered: `${what} is back at ${ms(now?.p99Ms ?? before.p99Ms)}; it had risen ${rise}.`,
    new_normal: `${what} has been slow for a day: ${ms(now?.p99Ms ?? after.p99Ms)} is what is usual now. It had risen ${rise}.`,
    no_data: `${what} had risen ${rise}; too few requests since to say more, closed without knowing.`,
    rule_off: `${what} had risen ${rise}; the rule was switched off.`,
    not_held: `${what} had risen ${rise}, but not for long enough.`,
  };
  const traces = slowestTraces?.map(({ traceId }) => traceId) ?? [];
  return {
    summary: resolution === null ? `${what} rose ${rise}.` : over[resolution],
    description: sentences([
      `After: ${after.from} to ${after.to}, ${after.n} spans. Before: ${before.from} to ${before.to}, ${before.n} spans.`,
      `Each p99 is within ${relativeError * 100} % of the exact one; the minute still filling is left out.`,
      onset === undefined ? '' : `Slow since ${onset}.`,
      deploySentence(evidence),
      traces.length === 0 ? '' : `Slowest traces: ${traces.join(', ')}.`,
      ...(evidence.notes ?? []),
    ]),
    figures: {
      before_p99_ms: String(before.p99Ms),
      after_p99_ms: String(after.p99Ms),
      n_before: String(before.n),
      n_after: String(after.n),
      relative_error: String(relativeError),
      slowest_traces: traces.join(','),
      suspect_deploy: deployText(evidence),
    },
  };
}

function goroutineText(evidence: GoroutineEvidence & Enriched, resolution: Resolution | null): AlertText {
  const {
    service,
    target,
    function: name,
    location,
    minima,
    before,
    after,
    growth,
    n,
    windowSeconds,
    since,
  } = evidence;
  const what = `goroutines in ${name} of ${service} (${target})`;
  const rise = `from ${before} to ${after} (+${growth})`;
  const over: Record<Resolution, string> = {
    recovered: `${what} no longer pile up; they had risen ${rise}.`,
    new_normal: `${what} no longer pile up; they had risen ${rise}.`,
    no_data: `${what} had risen ${rise}; the target could not be polled since, closed without knowing.`,
    rule_off: `${what} had risen ${rise}; the rule was switched off.`,
    not_held: `${what} had risen ${rise}, but not for long enough.`,
  };
  const text = resolution === null ? `${what} pile up: ${rise}.` : over[resolution];
  return {
    summary: text.charAt(0).toUpperCase() + text.slice(1),
    description: sentences([
      `Least goroutines with this stack in each ${windowSeconds} s since ${since}: ${minima.join(', ')} (${n} polls).`,
      `The stack waits at ${location === '' ? name : location}.`,
      deploySentence(evidence),
      ...(evidence.notes ?? []),
    ]),
    figures: {
      before_goroutines: String(before),
      after_goroutines: String(after),
      minima: minima.join(','),
      polls: String(n),
      function: name,
      location,
      stack_functions: evidence.functions.join('\n'),
      suspect_deploy: deployText(evidence),
    },
  };
}

function foldedText(evidence: Evidence, resolution: Resolution | null): AlertText {
  const { count, shown } = evidence;
  return {
    summary:
      resolution === null
        ? `${String(count)} more are in the same trouble; alerts of one rule are folded beyond ${String(shown)}.`
        : 'Nothing is folded any more.',
    description: `Some of them: ${JSON.stringify(evidence['examples'])}.`,
    figures: { folded: String(count) },
  };
}

function deploySentence(evidence: Enriched): string {
  if (evidence.suspectDeploy === undefined) return '';
  if (evidence.suspectDeploy === null) return 'No deploy is known in the half hour before.';
  return `Suspect deploy: ${deployText(evidence)}.`;
}

function deployText({ suspectDeploy }: Enriched): string {
  if (suspectDeploy === undefined || suspectDeploy === null) return '';
  const { time, version, sha, repository, environment, source, id } = suspectDeploy;
  const commit = [repository, sha].filter((each) => typeof each === 'string').join('@');
  return [version, commit, environment, source, id, `at ${String(time)}`]
    .filter((each) => typeof each === 'string' && each !== '')
    .join(' ');
}

function sentences(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}

/** `0.53 ms`, `12.3 ms`, `480 ms`, `12,300 ms`. */
function ms(value: number): string {
  const text = value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
  return `${text} ms`;
}
