/** Addresses of boards that tell more of the chosen service, with its time range kept. */

export const TO_LATENCY = {
  title: 'Latency',
  url: '/d/heliograph-service-latency?${__url_time_range}&${service:queryparam}',
};
export const TO_RUNTIME = { title: 'Runtime', url: '/d/heliograph-runtime?${__url_time_range}&${service:queryparam}' };
export const TO_FLAME_GRAPH = {
  title: 'Flame graph',
  url: '/d/heliograph-flamegraph?${__url_time_range}&${service:queryparam}',
};

/** How what the boards are made of came in; it is of every service. */
export const TO_PIPELINE = { title: 'Pipeline', url: '/d/heliograph-pipeline?${__url_time_range}' };

/** From a row of a table to the latency of its service. */
export const ROW_TO_LATENCY = {
  title: 'Latency of ${__data.fields.service}',
  url: '/d/heliograph-service-latency?${__url_time_range}&var-service=${__data.fields.service:percentencode}',
};
