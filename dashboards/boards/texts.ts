/** Sentences that several panels share. They are in a person's way exactly once: when there is nothing to see. */

/** Empty panels over Server and Consumer spans. */
export const NO_SERVER_SPANS =
  'No server spans in this range. Point an OpenTelemetry SDK here: OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318, OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf.';

/** The same in the space of a headline figure. */
export const NO_SERVER_SPANS_SHORT = 'No server spans in this range. Send traces to http://localhost:4318.';

/** Empty panels of one service. */
export const NO_SPANS_OF_SERVICE =
  'No server spans of this choice in this range. Widen the time range, or set Route to All.';

/** How every latency figure is made. */
export const HOW_PERCENTILES =
  'Percentiles are read from mergeable log bins with at most 1 % relative error, over Server and Consumer spans by the minute they started.';

/** Empty panels over what the pollers read. */
export const NO_TARGETS =
  'Nothing of this was read from this service in this range. The table of targets below says what each answers; addresses stand under targets in heliograph.yaml.';

/** The same in the space of a headline figure. */
export const NO_TARGETS_SHORT = 'Nothing was read from a target in this range. Set targets in heliograph.yaml.';

/** Empty panels over CI runs. */
export const NO_RUNS =
  'No run of this choice in this range. Point a GitHub webhook for workflow runs and jobs at /hooks/github, or widen the range.';

/** Empty panels over deployments. */
export const NO_DEPLOYS =
  'No deploy in this range. Send an event to /v1/deployments at the end of a deploy, or set service.version on the spans.';
