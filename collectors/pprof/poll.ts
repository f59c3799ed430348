/** Fetches a profile from a target and makes its rows. */
import type { PollOutcome, ProfileSampleRow, StackRow, TargetPollRow } from '../../core/rows.ts';
import type { Target, TargetFetch } from '../../core/target-fetch.ts';
import { decodeProfile, type Profile } from './decode.ts';
import { measureOf } from './unit.ts';

const MAX_BYTES = 32 * 1024 * 1024;

export type ProfileKind = 'goroutine' | 'cpu' | 'heap';

export interface ProfilePollDeps {
  fetch: TargetFetch;
  /** Whether the stack's row need not be written again. */
  isKnown: (service: string, stack: string) => boolean;
  nowMs: () => number;
}

/** `samples` and `stacks` are empty where the poll came to nothing. */
export interface ProfilePoll {
  poll: TargetPollRow;
  samples: ProfileSampleRow[];
  stacks: StackRow[];
}

/** Polls one kind of profile once. `durationMs` is how long a CPU profile lasts. Rejects only when the signal fires. */
export async function pollProfile(
  { fetch, isKnown, nowMs }: ProfilePollDeps,
  target: Target,
  kind: ProfileKind,
  durationMs: number,
  signal: AbortSignal,
): Promise<ProfilePoll> {
  const atMs = nowMs();
  const request = kind === 'cpu' ? cpuRequest(durationMs) : { path: `/debug/pprof/${kind}`, durationMs: 0 };
  const answer = await fetch({ ...request, target, maxBytes: MAX_BYTES, signal });
  const poll = (outcome: PollOutcome, reason: string, total: number | null): TargetPollRow => ({
    time_ms: atMs,
    service: target.service,
    target: target.name,
    kind,
    outcome,
    reason,
    duration_ms: answer.durationMs,
    bytes: answer.bytes,
    total,
  });
  const nothing = { samples: [], stacks: [] };
  if (answer.outcome !== 'ok')
    return { poll: poll(answer.outcome, answer.reason + knownComplaint(answer.complaint), null), ...nothing };
  const profile = decodeProfile(answer.body);
  if (!profile.ok) {
    const outcome = profile.cutShort ? 'broken_off' : profile.tooLarge ? 'too_large' : 'not_a_profile';
    return { poll: poll(outcome, `${profile.rule} (at byte ${profile.offset})`, null), ...nothing };
  }
  return {
    poll: poll('ok', '', clamped(profile.total(0))),
    samples: samplesOf(profile, target, kind, atMs),
    stacks: stacksOf(profile, target, atMs, isKnown),
  };
}

/** Rows have numbers there; one that a double rounds up past 64 bits would be refused. */
function clamped(total: number | string): number {
  return Math.max(-9.2e18, Math.min(Number(total), 9.2e18));
}

function cpuRequest(durationMs: number): { path: string; durationMs: number } {
  const seconds = Math.max(1, Math.round(durationMs / 1000));
  return { path: `/debug/pprof/profile?seconds=${seconds}`, durationMs: seconds * 1000 };
}

/** What net/http/pprof says in its own words. The text itself is not passed on: a stranger may have written it. */
function knownComplaint(complaint: string): string {
  if (/already in use/.test(complaint)) return ': busy, another CPU profile is being taken';
  if (/exceeds server's WriteTimeout/.test(complaint))
    return ": the profile would last longer than the server's WriteTimeout";
  return '';
}

function samplesOf(profile: Profile, { service, name }: Target, kind: ProfileKind, atMs: number): ProfileSampleRow[] {
  const profileName = nameOf(profile, kind);
  const rows: ProfileSampleRow[] = [];
  for (const [index, { type, unit }] of profile.sampleTypes.entries()) {
    // totals since the process started, which mean nothing when they are added up
    if (kind === 'heap' && type.startsWith('alloc_')) continue;
    const measure = measureOf(unit);
    for (const [number, stack] of profile.stacks.entries()) {
      const value = profile.value(number, index);
      if (value === 0) continue;
      rows.push({
        time_ms: atMs,
        service,
        target: name,
        profile: profileName,
        sample_type: type,
        unit: measure.unit,
        stack,
        value: measure.convert(value),
      });
    }
  }
  return rows;
}

/** Node's profiler samples by the wall clock: waiting counts too, so it is no CPU profile. */
function nameOf({ sampleTypes }: Profile, kind: ProfileKind): string {
  const has = (wanted: string): boolean => sampleTypes.some(({ type }) => type === wanted);
  return kind === 'cpu' && has('wall') && !has('cpu') ? 'wall' : kind;
}

function stacksOf(
  profile: Profile,
  { service }: Target,
  atMs: number,
  isKnown: (service: string, stack: string) => boolean,
): StackRow[] {
  return profile.stacks.flatMap((stack, number) =>
    isKnown(service, stack) ? [] : [{ service, stack, ...profile.frames(number), seen_at_ms: atMs }],
  );
}
