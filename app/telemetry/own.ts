/** How Heliograph's own spans reach its own door. */
import type { Config } from '../config/schema.ts';
import { listen } from '../http/listen.ts';
import type { Ingest } from '../ingest.ts';
import { VERSION } from '../version.ts';
import { noTelemetry, type SelfTelemetry, startSelfTelemetry } from './start.ts';

/** Our own spans go through the door like anybody's; where that asks for keys or certificates, through one of their own. */
export async function openTelemetry(config: Config, ingest: Ingest, otlpUrl: string): Promise<SelfTelemetry> {
  if (!config.selfTelemetry.enabled) return noTelemetry();
  const { self } = ingest.access;
  const own =
    ingest.selfDoor === undefined
      ? undefined
      : await listen(ingest.selfDoor, '127.0.0.1', 0, 'HELIOGRAPH_OTLP_HTTP_PORT');
  return startSelfTelemetry({
    url: `${own === undefined ? otlpUrl : `http://127.0.0.1:${own}`}/v1/traces`,
    token: self === undefined ? config.token : self.token,
    ratio: config.selfTelemetry.ratio,
    version: VERSION,
    instanceId: String(process.pid),
  });
}
