/** The `index`-th body under a seed: the same two numbers (and the same time) give the same bytes. */
import { gzipSync } from 'node:zlib';
import type { BodyFormat } from '../../../core/ports.ts';
import { encodeRequest } from '../../support/otlp-encode.ts';
import { type Draw, seeded, seedOf } from '../../support/seeded.ts';
import { jsonOf, mutateJson } from './mutate-json.ts';
import { bomb, mutate, mutateBytes } from './mutate.ts';
import { drawRequest } from './requests.ts';

export interface FuzzBody {
  bytes: Buffer;
  /** As the header says. */
  encoding: 'gzip' | undefined;
}

export interface BodySource {
  format: BodyFormat;
  seed: number;
  /** Start times lie before it, Unix ms. */
  nowMs: number;
}

const GZIP_SHARE = 0.03;
const UNCHANGED_SHARE = 0.02;
const BOMB_SHARE = 0.0001;

export function bodyAt({ format, seed, nowMs }: BodySource, index: number): FuzzBody {
  const draw = seeded(seedOf(seed, index));
  const request = (): ReturnType<typeof drawRequest> => drawRequest({ draw, nowMs, nested: draw.chance(0.4) });
  const bytes = format === 'json' ? jsonBody(request, draw) : protobufBody(request, draw);
  if (!draw.chance(GZIP_SHARE)) return { bytes, encoding: undefined };
  const zipped = gzipSync(bytes, { level: 1 });
  return { bytes: draw.chance(0.2) ? zipped : mutateBytes(zipped, () => zipped, draw), encoding: 'gzip' };
}

function protobufBody(request: () => ReturnType<typeof drawRequest>, draw: Draw): Buffer {
  const base = encodeRequest(request());
  if (draw.chance(BOMB_SHARE)) return bomb(base, draw);
  return draw.chance(UNCHANGED_SHARE) ? base : mutate(base, () => encodeRequest(request()), draw);
}

function jsonBody(request: () => ReturnType<typeof drawRequest>, draw: Draw): Buffer {
  const base = jsonOf(request(), draw);
  return draw.chance(UNCHANGED_SHARE) ? Buffer.from(base) : mutateJson(base, () => jsonOf(request(), draw), draw);
}
