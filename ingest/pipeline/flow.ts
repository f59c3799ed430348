/** What the OTLP doors took in and turned away, by sender and form. */
import type { BodyFormat, Sender } from '../../core/ports.ts';
import type { PipelineMinuteRow } from '../../core/rows.ts';

/** Protocol and format, as OTEL_EXPORTER_OTLP_PROTOCOL spells them. */
export const OTLP_FORMS = ['grpc', 'http/protobuf', 'http/json'] as const;
export type OtlpForm = (typeof OTLP_FORMS)[number];

export function formOf(door: 'otlp_http' | 'otlp_grpc', format: BodyFormat): OtlpForm {
  return door === 'otlp_grpc' ? 'grpc' : `http/${format}`;
}

/** Where a refused request came from, as far as that was known by then. */
export interface Origin {
  /** Journal signal; '' where the path names none. */
  signal: string;
  form: OtlpForm;
  /** Undefined where nobody was let in. */
  sender: Sender | undefined;
}

/** Counts of one sender, form and signal; what each means stands with the row. */
export type Flow = Pick<
  PipelineMinuteRow,
  'signal' | 'form' | 'team' | 'key' | 'rejected_spans' | 'refused_bodies' | FlowCount
>;
export type FlowCount =
  | 'acked_bodies'
  | 'duplicate_bodies'
  | 'slow_lane_bodies'
  | 'bytes'
  | 'acked_spans'
  | 'duplicate_spans'
  | 'clock_skew_spans';

/** A flow while it is counted. */
export type OpenFlow = Flow & { rejected_spans: Record<string, number>; refused_bodies: Record<string, number> };

/** Whose flow it is: all '' for what is nobody's. */
export type FlowKey = Pick<Flow, 'signal' | 'form' | 'team' | 'key'>;

export const NOBODY: FlowKey = { signal: '', form: '', team: '', key: '' };

/** Flows by their key, made when first asked for. */
export class Flows {
  readonly #flows = new Map<string, OpenFlow>();

  of({ signal, form, team, key }: FlowKey): OpenFlow {
    const name = `${signal}\n${form}\n${team}\n${key}`;
    let flow = this.#flows.get(name);
    if (flow === undefined) {
      flow = {
        signal,
        form,
        team,
        key,
        acked_bodies: 0,
        duplicate_bodies: 0,
        slow_lane_bodies: 0,
        bytes: 0,
        acked_spans: 0,
        duplicate_spans: 0,
        clock_skew_spans: 0,
        rejected_spans: {},
        refused_bodies: {},
      };
      this.#flows.set(name, flow);
    }
    return flow;
  }

  all(): OpenFlow[] {
    return [...this.#flows.values()];
  }
}

/** Senders that are told apart; token subjects may be without number, columns and series may not. */
const SENDERS_MAX = 200;
const OTHER: Sender = { team: '(other)', key: '(other)' };

/** The first two hundred senders since the start keep their names; the rest are one. */
export function createSenderNames(): (sender: Sender) => Sender {
  const known = new Set<string>();
  return (sender) => {
    const name = `${sender.team}\n${sender.key}`;
    if (known.has(name)) return sender;
    if (known.size >= SENDERS_MAX) return OTHER;
    known.add(name);
    return sender;
  };
}
