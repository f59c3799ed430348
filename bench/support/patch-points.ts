/** Finds where ids and times lie in a serialized traces request, so that a template body can be renewed in place. */

export interface PatchPoints {
  /** Offsets of eight-byte halves of trace, span and parent ids. */
  ids: number[];
  /** Offsets of span ids, which are among `ids` too. */
  spanIds: number[];
  /** Offsets of start times and, in the same order, of end times. */
  starts: number[];
  ends: number[];
}

/** Field numbers on the way from the request to its spans: resource_spans 1, scope_spans 2, spans 2. */
const PATH = [1, 2, 2];

export function patchPoints(bytes: Buffer): PatchPoints {
  const points: PatchPoints = { ids: [], spanIds: [], starts: [], ends: [] };
  descend(bytes, 0, bytes.length, 0, points);
  return points;
}

function descend(bytes: Buffer, from: number, to: number, depth: number, points: PatchPoints): void {
  for (const field of fields(bytes, from, to)) {
    if (depth < PATH.length) {
      if (field.number === PATH[depth]) descend(bytes, field.at, field.end, depth + 1, points);
    } else if (field.number === 1 && field.end - field.at === 16) points.ids.push(field.at, field.at + 8);
    else if ((field.number === 2 || field.number === 4) && field.end - field.at === 8) {
      points.ids.push(field.at);
      if (field.number === 2) points.spanIds.push(field.at);
    } else if (field.number === 7) points.starts.push(field.at);
    else if (field.number === 8) points.ends.push(field.at);
  }
}

interface Field {
  number: number;
  at: number;
  end: number;
}

function* fields(bytes: Buffer, from: number, to: number): Generator<Field> {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < to) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) {
      varint();
      continue;
    }
    const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
    yield { number: Math.floor(tag / 8), at, end: at + length };
    at += length;
  }
}
