/** Fills a store with typical spans spread evenly over a window, by the store's own load of segments: as fast as the engine can. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '../../core/ports.ts';
import { PINNED_BLOCK_SETTINGS } from '../../store/load.ts';
import { encodeRequest } from '../../test/support/otlp-encode.ts';
import { createRandom, renewInto, typicalTemplates } from './template.ts';

export interface FillOptions {
  store: Store;
  /** Scratch directory for segments. */
  dir: string;
  spans: number;
  fromNs: bigint;
  toNs: bigint;
  /** Values of the attribute `order.id`, each on one span of its own service, spread over the window like the rest. */
  needles: readonly string[];
  /** How many segments are loaded at the same time; the dispatcher loads two. */
  loadsAtOnce: number;
}

export interface Filled {
  spans: number;
  /** Seconds spent loading, without those in which segments were made. */
  loadS: number;
}

const SPANS_PER_BODY = 512;
const TEMPLATES = 96;
const SEGMENT_BYTES = 16 * 1024 * 1024;

/** Loads segments in the order of time, as they would have come. */
export async function fillWindow(options: FillOptions): Promise<Filled> {
  const { spans, fromNs, toNs, loadsAtOnce } = options;
  const bodies = Math.ceil(spans / SPANS_PER_BODY);
  const templates = typicalTemplates(TEMPLATES, SPANS_PER_BODY, 1, fromNs);
  const bodyBytes = Math.max(...templates.map(({ bytes }) => bytes.length));
  const perSegment = Math.floor(SEGMENT_BYTES / bodyBytes);
  const random = createRandom(7);
  const nsPerBody = (toNs - fromNs) / BigInt(bodies);
  const buffer = Buffer.alloc(perSegment * bodyBytes);
  let nextBody = 0;
  const nextSegment = (): Buffer | undefined => {
    if (nextBody >= bodies) return undefined;
    let end = 0;
    for (let i = 0; i < perSegment && nextBody < bodies; i++, nextBody++) {
      const template = templates[Math.floor((random() / 0x100000000) * TEMPLATES)];
      if (template !== undefined) end = renewInto(buffer, end, template, fromNs + BigInt(nextBody) * nsPerBody, random);
    }
    return buffer.subarray(0, end);
  };
  if (options.needles.length > 0) await loadBytes(options, 'needles', needleBody(options));
  let [segments, loadMs] = [0, 0];
  const timedLoad = async (bytes: Buffer): Promise<void> => {
    const startedMs = performance.now();
    await loadBytes(options, `fill-${segments++}`, bytes);
    loadMs += performance.now() - startedMs;
  };
  const lane = async (): Promise<void> => {
    for (let bytes = nextSegment(); bytes !== undefined; bytes = nextSegment()) await timedLoad(bytes);
  };
  // The first one alone: two first uses of a schema at once trip over each other in the engine's cache of schemas.
  const first = nextSegment();
  if (first !== undefined) await timedLoad(first);
  await Promise.all(Array.from({ length: loadsAtOnce }, lane));
  return { spans: bodies * SPANS_PER_BODY + options.needles.length, loadS: loadMs / 1000 / loadsAtOnce };
}

/** Writes before it returns, so the caller's buffer is free again. */
function loadBytes({ store, dir }: FillOptions, token: string, bytes: Buffer): Promise<void> {
  const path = join(dir, `${token}.seg`);
  writeFileSync(path, bytes);
  const segment = { token, signal: 'otlp_traces', team: '', path, loNs: 0n, hiNs: 2n ** 63n - 1n };
  return store.load({ ...segment, settings: { ...PINNED_BLOCK_SETTINGS } }).finally(() => rmSync(path));
}

function needleBody({ needles, fromNs, toNs }: FillOptions): Buffer {
  const random = createRandom(11);
  const hex = (words: number): string =>
    Array.from({ length: words }, () => random().toString(16).padStart(8, '0')).join('');
  const spans = needles.map((stringValue, index) => {
    const start = fromNs + ((toNs - fromNs) * BigInt(index + 1)) / BigInt(needles.length + 1);
    return {
      traceId: hex(4),
      spanId: hex(2),
      name: 'POST /orders',
      kind: 2,
      startTimeUnixNano: start,
      endTimeUnixNano: start + 25_000_000n,
      attributes: [
        { key: 'http.route', value: { stringValue: '/orders' } },
        { key: 'order.id', value: { stringValue } },
      ],
    };
  });
  const attributes = [{ key: 'service.name', value: { stringValue: 'checkout' } }];
  return encodeRequest({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
}
