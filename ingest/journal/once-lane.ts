/** A lane on which a body that came before, byte for byte, is acked and not stored again. */
import { HeliographError } from '../../core/errors.ts';
import type { Appended, JournalBody, JournalLane, TimeBounds } from '../../core/ports.ts';
import type { Counters } from './counters.ts';
import { type DuplicateWindow, keyOf, type LaneSalt } from './duplicate-window.ts';
import { contentHash } from './index-file.ts';
import type { Frame, Lane } from './lane.ts';
import type { Room } from './room.ts';

const DUPLICATE: Appended = { duplicate: true };

export interface OnceLaneDeps {
  window: DuplicateWindow;
  salt: LaneSalt;
  room: Room;
  counters: Counters;
  segmentMaxBytes: number;
}

export class OnceLane implements JournalLane {
  readonly #lane: Lane;
  readonly #deps: OnceLaneDeps;

  constructor(lane: Lane, deps: OnceLaneDeps) {
    this.#lane = lane;
    this.#deps = deps;
  }

  bounds(): TimeBounds {
    return this.#lane.bounds();
  }

  append(body: JournalBody): Promise<Appended> {
    const { segmentMaxBytes, salt } = this.#deps;
    const length = body.bytes.byteLength;
    if (length === 0 || length > segmentMaxBytes) return this.#lane.append(body);
    const hash = contentHash(body.bytes);
    return this.#offer({ ...body, hash }, keyOf(salt, hash), this.#lane.frame());
  }

  /** `frame` is that of the segment by whose bounds the body was judged: it may only land in one of the same. */
  #offer(body: JournalBody & { hash: Uint8Array }, key: Uint32Array, frame: Frame | null): Promise<Appended> {
    const { window, counters } = this.#deps;
    if (window.has(key)) {
      counters.duplicate(body.bytes.byteLength);
      return Promise.resolve(DUPLICATE);
    }
    const original = window.underWay(key);
    if (original !== undefined) return this.#wait(original, body, key, frame);
    const commit = this.#lane.append(body, frame);
    window.begin(key, commit);
    return commit;
  }

  /** Shares the fate of the commit that is under way; if that fails, the body is offered for real. Its bytes are counted while they wait. */
  async #wait(
    original: Promise<Appended>,
    body: JournalBody & { hash: Uint8Array },
    key: Uint32Array,
    frame: Frame | null,
  ): Promise<Appended> {
    const { room, counters } = this.#deps;
    const bytes = body.bytes.byteLength;
    const refusal = room.admit(bytes);
    if (refusal !== null) {
      counters.refused(1, refusal);
      throw refusal;
    }
    try {
      await original;
      counters.duplicate(bytes);
      return DUPLICATE;
    } catch (error) {
      if (!(error instanceof HeliographError)) throw error;
    } finally {
      room.release(bytes);
    }
    return this.#offer(body, key, frame);
  }
}
