/** Links into the boards, in Grafana's URL grammar. */
import type { LatencyEvidence } from './evidence.ts';
import type { Evidence } from './types.ts';

/** The board on which the evidence can be seen; the page itself where no board shows it. `pageUrl` without a trailing slash. */
export function boardLink(pageUrl: string, evidence: Evidence): string {
  if (evidence['kind'] === 'latency') {
    const { service, route, before, after } = evidence as unknown as LatencyEvidence;
    return link(pageUrl, 'heliograph-service-latency', {
      'var-service': service,
      'var-route': route,
      from: String(Date.parse(before.from)),
      to: String(Date.parse(after.to)),
    });
  }
  if (evidence['kind'] === 'goroutines' && typeof evidence['service'] === 'string')
    return link(pageUrl, 'heliograph-runtime', { 'var-service': evidence['service'] });
  return `${pageUrl}/`;
}

function link(pageUrl: string, uid: string, query: Record<string, string>): string {
  return `${pageUrl}/d/${uid}?${new URLSearchParams(query).toString()}`;
}
