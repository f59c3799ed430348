/** What the OTLP doors took in and turned away, by form, and who sent it. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { type Flow, type FlowCount, OTLP_FORMS } from '../../ingest/pipeline/flow.ts';
import { follow } from './follow.ts';

/** Counters with the one label `form`; each form is there from the start, so that the first body is an increase too. */
const BY_FORM: readonly (readonly [name: string, help: string, of: (flow: Flow) => number])[] = [
  ['received_bodies', 'Bodies and requests that were answered: acked, duplicate or refused.', receivedBodies],
  ['received_bytes', 'Bytes of acked and duplicate bodies, after decompression.', count('bytes')],
  ['acked_bodies', 'Bodies made durable and acked.', count('acked_bodies')],
  ['acked_spans', 'Spans acked, rejected ones not counted.', count('acked_spans')],
  ['duplicate_bodies', 'Bodies acked that had been stored before; not stored again.', count('duplicate_bodies')],
  ['slow_lane_bodies', 'Bodies rewritten to flat protobuf.', count('slow_lane_bodies')],
  ['clock_skew_spans', 'Spans that end before they start, stored with duration 0.', count('clock_skew_spans')],
];

export interface OtlpSources {
  /** Counts since the start of the process. */
  flows(): readonly Flow[];
  slowLaneWaiting(): number;
}

export function otlpSeries(registry: Registry, sources: OtlpSources): () => void {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `heliograph_otlp_${name}_total`, help, labelNames, registers });
  const byForm = BY_FORM.map(([name, help, of]) => ({ series: counter(name, help, ['form']), of }));
  const rejected = counter('rejected_spans', 'Spans rejected by rule.', ['form', 'reason']);
  const refused = counter('refused_bodies', 'Bodies and requests refused whole.', ['form', 'reason']);
  // bounded: the book tells two hundred senders apart and calls the rest (other)
  const senderSpans = counter('sender_acked_spans', 'Spans acked, by who sent them.', ['team', 'key']);
  const senderBytes = counter('sender_received_bytes', 'Bytes of acked and duplicate bodies, by who sent them.', [
    'team',
    'key',
  ]);
  const waiting = new Gauge({
    name: 'heliograph_slow_lane_waiting',
    help: 'Bodies waiting for the slow lane.',
    registers,
  });
  return () => {
    const flows = sources.flows();
    for (const { series, of } of byForm) {
      follow(series, [
        ...OTLP_FORMS.map((form): [Record<string, string>, number] => [{ form }, 0]),
        ...flows.map((flow): [Record<string, string>, number] => [{ form: formLabel(flow) }, of(flow)]),
      ]);
    }
    follow(rejected, reasons(flows, 'rejected_spans'));
    follow(refused, reasons(flows, 'refused_bodies'));
    const senders = flows.filter(({ acked_bodies, duplicate_bodies }) => acked_bodies + duplicate_bodies > 0);
    follow(
      senderSpans,
      senders.map(({ team, key, acked_spans }) => [{ team, key }, acked_spans]),
    );
    follow(
      senderBytes,
      senders.map(({ team, key, bytes }) => [{ team, key }, bytes]),
    );
    waiting.set(sources.slowLaneWaiting());
  };
}

/** What was refused before its form was known, above all what is not HTTP. */
function formLabel({ form }: Flow): string {
  return form === '' ? 'unknown' : form;
}

function count(name: FlowCount): (flow: Flow) => number {
  return (flow) => flow[name];
}

function receivedBodies({ acked_bodies, duplicate_bodies, refused_bodies }: Flow): number {
  return Object.values(refused_bodies).reduce((sum, bodies) => sum + bodies, acked_bodies + duplicate_bodies);
}

function reasons(
  flows: readonly Flow[],
  column: 'rejected_spans' | 'refused_bodies',
): [Record<string, string>, number][] {
  return flows.flatMap((flow) =>
    Object.entries(flow[column]).map(([reason, value]): [Record<string, string>, number] => [
      { form: formLabel(flow), reason },
      value,
    ]),
  );
}
