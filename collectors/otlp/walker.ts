/**
 * The walk itself. Positions are locals and results are fields of one object, so that a span costs no allocation; the
 * shapes every SDK writes are recognised in a few compares and everything else takes the general road.
 */
import type { TimeBounds } from '../../core/ports.ts';
import { REJECT_REASONS } from './rejects.ts';
import { KEY_VALUE, type MessageType, REQUEST, RESOURCE, RESOURCE_SPANS, SCOPE, SCOPE_SPANS, SPAN } from './schema.ts';
import { ValueWalker } from './value-walker.ts';
import { FramingError, WIRE_FIXED64, WIRE_VARINT, wrongWireType } from './wire.ts';

/** Bytes of resources and scopes once every span has its own copy, as the engine's rows do. */
export const MAX_SHARED_BYTES = 128 * 1024 * 1024;

// Tags of the Span fields that the rules look at.
const TRACE_ID = 0x0a;
const SPAN_ID = 0x12;
const PARENT_SPAN_ID = 0x22;
const START_TIME = 0x39;
const END_TIME = 0x41;
const ATTRIBUTES = 0x4a;

const MAX_UINT64 = 0xffffffffffffffffn;

export class TraceWalker extends ValueWalker {
  spans = 0;
  clockSkew = 0;
  /** Counts by the index of the reason in REJECT_REASONS. */
  readonly rejected: number[] = REJECT_REASONS.map(() => 0);
  /** Resource or scope bytes seen in the ResourceSpans or ScopeSpans that is being walked. */
  private shared = 0;
  /** Bytes of resources and scopes so far, counted once for every span under them. */
  sharedCopied = 0;
  private readonly loHigh: number;
  private readonly loLow: number;
  private readonly hiHigh: number;
  private readonly hiLow: number;

  constructor(bytes: Uint8Array, bounds: TimeBounds) {
    super(bytes);
    // Start times are unsigned 64-bit: bounds outside of that are drawn in, or turned round when nothing can fit.
    const nothing = bounds.hiNs < 0n || bounds.loNs > MAX_UINT64;
    const lo = nothing ? 1n : bounds.loNs < 0n ? 0n : bounds.loNs;
    const hi = nothing ? 0n : bounds.hiNs > MAX_UINT64 ? MAX_UINT64 : bounds.hiNs;
    this.loHigh = Number(lo >> 32n);
    this.loLow = Number(lo & 0xffffffffn);
    this.hiHigh = Number(hi >> 32n);
    this.hiLow = Number(hi & 0xffffffffn);
  }

  /** Walks the whole buffer as one request. Throws FramingError. */
  request(): void {
    this.message(REQUEST, 0, this.bytes.length);
  }

  /** Whether the message of `type` at `start..end` can be left as it is. Throws FramingError. */
  isFlat(type: MessageType, start: number, end: number): boolean {
    this.needsRewrite = false;
    this.messages = 0;
    this.child(type, start, end);
    return !this.needsRewrite;
  }

  private child(type: MessageType, start: number, end: number): void {
    this.countMessage(start);
    if (type === KEY_VALUE) this.keyValue(start, end);
    else if (type === SPAN) this.span(start, end);
    else if (type === RESOURCE_SPANS || type === SCOPE_SPANS) this.group(type, start, end);
    else {
      if (type === RESOURCE || type === SCOPE) this.shared += end - start;
      this.message(type, start, end);
    }
  }

  /** Walks spans that share a resource or a scope. */
  private group(type: MessageType, start: number, end: number): void {
    const outerShared = this.shared;
    const spansBefore = this.spans;
    this.shared = 0;
    this.message(type, start, end);
    this.sharedCopied += this.shared * (this.spans - spansBefore);
    this.shared = outerShared;
    if (this.sharedCopied > MAX_SHARED_BYTES) {
      throw new FramingError(
        start,
        `resources and scopes are over ${MAX_SHARED_BYTES} bytes with a copy for every span`,
      );
    }
  }

  private message(type: MessageType, start: number, end: number): void {
    let seen = 0;
    let twice = 0;
    let p = start;
    while (p < end) {
      const at = p;
      let tag = this.bytes[p++] as number;
      if (tag >= 0x80 || tag < 8) {
        p = this.tag(at, end);
        tag = this.value;
      }
      const bit = tag < 0x100 ? 1 << (tag >>> 3) : 0;
      twice |= seen & bit;
      seen |= bit;
      p = this.field(type, tag, at, p, end);
    }
    if ((twice & type.singular) !== 0) this.needsRewrite = true;
  }

  /** Walks the value of the field whose tag stands at `at` and ends before `p`; returns the position after it. */
  private field(type: MessageType, tag: number, at: number, p: number, end: number): number {
    const number = tag >>> 3;
    const field = number < type.fields.length ? type.fields[number] : undefined;
    if (field === undefined) return this.skip(tag, p, end);
    if ((tag & 7) !== field.wire) throw wrongWireType(at, tag, `${type.name}.${field.name}`);
    if (field.wire === WIRE_VARINT) return this.varint(p, end);
    if (field.wire === WIRE_FIXED64) return this.fixed(p, 8, end);
    const start = this.enter(p, end);
    const stop = this.stop;
    if (field.message !== undefined) this.child(field.message, start, stop);
    return stop;
  }

  private span(start: number, end: number): void {
    const bytes = this.bytes;
    let traceIdOk = false;
    let spanIdOk = false;
    let parentOk = true;
    let startAt = -1;
    let endAt = -1;
    let seen = 0;
    let twice = 0;
    let p = start;
    while (p < end) {
      const at = p;
      let tag = bytes[p++] as number;
      if (tag >= 0x80 || tag < 8) {
        p = this.tag(at, end);
        tag = this.value;
      }
      const bit = tag < 0x100 ? 1 << (tag >>> 3) : 0;
      twice |= seen & bit;
      seen |= bit;
      if (tag === START_TIME || tag === END_TIME) {
        if (tag === START_TIME) startAt = p;
        else endAt = p;
        p = this.fixed(p, 8, end);
      } else if (tag === ATTRIBUTES || tag === TRACE_ID || tag === SPAN_ID || tag === PARENT_SPAN_ID) {
        p = this.enter(p, end);
        const stop = this.stop;
        if (tag === ATTRIBUTES) this.child(KEY_VALUE, p, stop);
        else if (tag === TRACE_ID) traceIdOk = stop - p === 16 && !allZero(bytes, p, stop);
        else if (tag === SPAN_ID) spanIdOk = stop - p === 8 && !allZero(bytes, p, stop);
        else parentOk = stop === p || stop - p === 8;
        p = stop;
      } else p = this.field(SPAN, tag, at, p, end);
    }
    if ((twice & SPAN.singular) !== 0) this.needsRewrite = true;
    this.judge(traceIdOk, spanIdOk, parentOk, startAt, endAt);
  }

  /** Counts one span. Times are given by the position of their eight bytes, -1 (time 0) where absent. */
  private judge(traceIdOk: boolean, spanIdOk: boolean, parentOk: boolean, startAt: number, endAt: number): void {
    this.spans++;
    const startHigh = startAt < 0 ? 0 : uint32(this.bytes, startAt + 4);
    const startLow = startAt < 0 ? 0 : uint32(this.bytes, startAt);
    let reason = -1;
    if (!traceIdOk) reason = 0;
    else if (!spanIdOk) reason = 1;
    else if (!parentOk) reason = 2;
    else if (less(startHigh, startLow, this.loHigh, this.loLow) || less(this.hiHigh, this.hiLow, startHigh, startLow)) {
      reason = 3;
    }
    if (reason >= 0) {
      this.rejected[reason] = (this.rejected[reason] as number) + 1;
      return;
    }
    const endHigh = endAt < 0 ? 0 : uint32(this.bytes, endAt + 4);
    const endLow = endAt < 0 ? 0 : uint32(this.bytes, endAt);
    if (less(endHigh, endLow, startHigh, startLow)) this.clockSkew++;
  }
}

function allZero(bytes: Uint8Array, start: number, end: number): boolean {
  let p = start;
  while (p < end && bytes[p] === 0) p++;
  return p === end;
}

function uint32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0;
}

/** Unsigned 64-bit a < b, in halves: exact, where one double would round nanoseconds to 256. */
function less(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  return aHigh < bHigh || (aHigh === bHigh && aLow < bLow);
}
