/** Field options after overrides, and the colours they lead to. */
import type { FieldOptions, Panel } from '../../shared/model.ts';
import { COLORS } from '../../shared/supported.ts';
import { cssColor } from './dom.ts';

/** Defaults of the panel with every override that names the field laid over them. */
export function fieldOptions(panel: Panel, name: string): FieldOptions {
  const merged: FieldOptions = { ...panel.fieldConfig?.defaults, custom: { ...panel.fieldConfig?.defaults.custom } };
  for (const { matcher, properties } of panel.fieldConfig?.overrides ?? []) {
    if (matcher.id !== 'byName' || matcher.options !== name) continue;
    for (const { id, value } of properties) {
      if (id.startsWith('custom.')) merged.custom = { ...merged.custom, [id.slice('custom.'.length)]: value };
      else Object.assign(merged, { [id]: value });
    }
  }
  return merged;
}

/** CSS colour of a Grafana colour name in the current theme; other texts are taken for CSS colours. */
export function namedColor(name: string): string {
  return (COLORS as readonly string[]).includes(name) ? cssColor(`--c-${name}`) : name;
}

/** Name of the colour whose threshold the value has reached; undefined without thresholds. */
export function thresholdColor(options: FieldOptions, value: number): string | undefined {
  return options.thresholds?.steps.findLast((step) => step.value === null || value >= step.value)?.color;
}

/** Name of the colour that the board gives to a text; undefined where it gives none. */
export function mappedColor(options: FieldOptions, text: string): string | undefined {
  const found = options.mappings?.find((mapping) => Object.hasOwn(mapping.options, text));
  return found?.options[text]?.color;
}

const PALETTE_SIZE = 10;
const assigned = new Map<string, number>();

/**
 * Colours of a panel's series: what the board fixes; else a name's own, which is the same on every panel. Where a panel would
 * show one colour twice, the later series takes one that the panel has not used, as long as there is one.
 */
export function seriesColors(series: readonly { name: string; color: FieldOptions['color'] }[]): string[] {
  const used = new Set<number>();
  return series.map(({ name, color }) => {
    if (color?.mode === 'fixed') return namedColor(color.fixedColor ?? 'text');
    let slot = assigned.get(name);
    if (slot === undefined) {
      slot = freeSlot(name, new Set([...assigned.values(), ...used]));
      assigned.set(name, slot);
    }
    if (used.has(slot)) slot = freeSlot(name, used);
    used.add(slot);
    return cssColor(`--s${slot}`);
  });
}

/** A slot that is not taken, or the name's first choice where all are. */
function freeSlot(name: string, taken: ReadonlySet<number>): number {
  let hash = 7;
  for (const char of name) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  for (let step = 0; step < PALETTE_SIZE; step += 1) {
    const slot = (hash + step) % PALETTE_SIZE;
    if (!taken.has(slot)) return slot;
  }
  return hash % PALETTE_SIZE;
}
