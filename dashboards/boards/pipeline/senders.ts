/** The tables of the Pipeline board about senders, and what to tell them. */
import { table } from '../../kit/panels.ts';

export const senders = () =>
  table({
    id: 17,
    width: 24,
    height: 8,
    title: 'Who sends what',
    unit: 'none',
    description:
      'One line per key and form, by spans acked in this range. Without keys all who send are one. Bad: a key that went silent, batches of a few spans (each costs two writes to disk), rejects or refusals of one sender alone.',
    noValue: 'Nobody sent anything in this range. Set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 at a service.',
    query: {
      view: 'pipeline_senders',
      select: [
        "if(team = '', '–', team) AS of_team",
        "if(key = '', '(no key)', key) AS by_key",
        'form',
        'spans',
        'share',
        'bytes',
        'spans_per_body',
        'rejected_spans',
        'refused_bodies',
        'duplicate_bodies',
        'slow_lane_bodies',
        'last_seen',
      ],
      orderBy: ['spans DESC', 'of_team', 'by_key', 'form'],
      limit: 200,
    },
    columns: {
      of_team: { title: 'Team' },
      by_key: { title: 'Key' },
      form: { title: 'Form', width: 120 },
      spans: { title: 'Spans', unit: 'short', width: 90 },
      share: { title: 'Share', unit: 'percentunit', width: 80, noValue: '–' },
      bytes: { title: 'Received', unit: 'bytes', width: 100 },
      spans_per_body: {
        title: 'Spans a body',
        unit: 'short',
        width: 115,
        noValue: '–',
        thresholds: ['orange', [8, 'text']],
      },
      rejected_spans: { title: 'Rejected', unit: 'short', width: 90, thresholds: ['text', [1, 'red']] },
      refused_bodies: { title: 'Refused', unit: 'short', width: 90, thresholds: ['text', [1, 'orange']] },
      duplicate_bodies: { title: 'Duplicates', unit: 'short', width: 105 },
      slow_lane_bodies: { title: 'Slow lane', unit: 'short', width: 95 },
      last_seen: { title: 'Last seen', unit: 'dateTimeFromNow', width: 110 },
    },
  });

export const rejectsExplained = () =>
  table({
    id: 18,
    width: 24,
    height: 5,
    title: 'Rejected spans, and the mend',
    unit: 'none',
    description:
      'Why spans of this range were rejected, and what to change at the sender. Its SDK was told the same in partial_success; the first bodies of each kind are kept in the quarantine of the journal. Bad: those that stay.',
    noValue: 'No span was rejected in this range, as far as it is known: nothing to mend.',
    query: {
      view: 'pipeline_rejects',
      step: 'whole',
      select: ['reason', 'mend', 'spans', 'share', 'last_seen'],
      orderBy: ['spans DESC', 'reason'],
      limit: 50,
    },
    columns: {
      reason: { title: 'Reason', width: 170 },
      mend: { title: 'What to change', wrap: true },
      spans: { title: 'Spans', unit: 'short', width: 90 },
      share: { title: 'Share', unit: 'percentunit', width: 90, noValue: '–' },
      last_seen: { title: 'Last seen', unit: 'dateTimeFromNow', width: 110 },
    },
  });

export const refusalsExplained = () =>
  table({
    id: 19,
    width: 24,
    height: 6,
    title: 'Refused requests, and the mend',
    unit: 'none',
    description:
      'Why requests of this range were refused whole, and what to change. Retried: a sender that keeps to OTLP comes again, and nothing is lost yet. Lost: it does not. Bad: lost, and retried that stays.',
    noValue: 'No request was refused in this range, as far as it is known: nothing to mend.',
    query: {
      view: 'pipeline_refusals',
      step: 'whole',
      select: ['reason', 'mend', "if(comes_again, 'retried', 'lost') AS fate", 'bodies', 'share', 'last_seen'],
      orderBy: ['bodies DESC', 'reason'],
      limit: 50,
    },
    columns: {
      reason: { title: 'Reason', width: 170 },
      mend: { title: 'What to change', wrap: true },
      fate: { title: 'Fate', width: 80, states: { retried: 'orange', lost: 'red' } },
      bodies: { title: 'Requests', unit: 'short', width: 90 },
      share: { title: 'Share', unit: 'percentunit', width: 90, noValue: '–' },
      last_seen: { title: 'Last seen', unit: 'dateTimeFromNow', width: 110 },
    },
  });

export const routeBudgets = () =>
  table({
    id: 22,
    width: 24,
    height: 5,
    title: 'Senders over their budget of routes',
    unit: 'none',
    description:
      'Services that made up more distinct routes on a day of this range than they may. What is over is counted under the route (other), and no span is lost. Bad: one is; a span name or http.route holds an id, a search term or a whole URL.',
    noValue: 'No service went over its budget of routes in this range: nothing to mend.',
    query: {
      view: 'route_budgets',
      select: ["if(team = '', '–', team) AS of_team", 'service', 'routes', 'budget', 'folded_spans', 'since'],
      orderBy: ['folded_spans DESC', 'of_team', 'service'],
      limit: 100,
    },
    columns: {
      of_team: { title: 'Team' },
      service: { title: 'Service' },
      routes: { title: 'Routes', unit: 'short', width: 90, thresholds: ['text', [1, 'orange']] },
      budget: { title: 'Budget', unit: 'short', width: 90 },
      folded_spans: { title: 'Spans as (other)', unit: 'short', width: 130 },
      since: { title: 'Since', unit: 'dateTimeFromNow', width: 120 },
    },
  });
