/** What a receiver is told of one transition: Alertmanager's webhook, version 4, with the evidence beside it. */
import { boardLink } from './links.ts';
import { textOf } from './text.ts';
import type { Evidence, Labels, RuleName, Transition } from './types.ts';

/** One transition as it waits in the outbox. */
export interface Message {
  fingerprint: string;
  status: 'firing' | 'resolved';
  labels: Labels;
  annotations: Readonly<Record<string, string>>;
  startsAtMs: number;
  endsAtMs: number | null;
  generatorUrl: string;
  /** Our own address as it was then: a retry after a restart is still the same bytes. */
  externalUrl: string;
  evidence: Evidence;
}

const ALERT_NAMES: Readonly<Record<RuleName, string>> = { latency: 'LatencyJump', goroutines: 'GoroutineLeak' };
/** Alertmanager's zero time: not over. */
const NOT_OVER = '0001-01-01T00:00:00Z';

/** Labels as receivers and the record see them. */
export function labelsOf({ rule, labels }: Pick<Transition, 'rule' | 'labels'>): Labels {
  return { alertname: ALERT_NAMES[rule], severity: 'warning', ...labels };
}

/** Evidence as receivers and the record see it: what it fired with, and of what is over, why and what was seen last. */
export function evidenceOf({ evidence, latest, resolution }: Transition): Evidence {
  return resolution === null ? evidence : { ...evidence, resolution, latest };
}

/** The message of a transition, or undefined where nobody is told: of pending, and of what never fired. */
export function messageOf(transition: Transition, pageUrl: string): Message | undefined {
  const { fingerprint, from, to, startsAtMs, endsAtMs, evidence, latest, resolution } = transition;
  if (to === 'pending' || (to === 'resolved' && from !== 'firing')) return undefined;
  const { summary, description, figures } = textOf(evidence, latest, resolution);
  return {
    fingerprint,
    status: to,
    labels: labelsOf(transition),
    annotations: { summary, description, ...figures },
    startsAtMs,
    endsAtMs,
    generatorUrl: boardLink(pageUrl, evidence),
    externalUrl: pageUrl,
    evidence: evidenceOf(transition),
  };
}

/** The body for one receiver: the same bytes for the same message, so that a retry is a repetition. */
export function webhookBody(message: Message, receiver: string): string {
  const { fingerprint, status, labels, annotations, startsAtMs, endsAtMs, generatorUrl, externalUrl, evidence } =
    message;
  return JSON.stringify({
    version: '4',
    groupKey: groupKeyOf(labels),
    truncatedAlerts: 0,
    status,
    receiver,
    groupLabels: labels,
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: externalUrl,
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt: new Date(startsAtMs).toISOString(),
        endsAt: endsAtMs === null ? NOT_OVER : new Date(endsAtMs).toISOString(),
        generatorURL: generatorUrl,
        fingerprint,
        evidence,
      },
    ],
  });
}

/** `{}:{alertname="LatencyJump", route="GET /", service="shop"}`: every alert is a group of its own. */
function groupKeyOf(labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`);
  return `{}:{${pairs.join(', ')}}`;
}
