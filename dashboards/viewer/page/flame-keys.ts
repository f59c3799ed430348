/** Moving through a flame graph by keyboard. */
import type { FlameNode } from './flame-tree.ts';

/**
 * Index of the node that an arrow leads to from `marked`: down to the largest callee, up to the caller, sideways along the level.
 * The first arrow marks the root. Undefined for other keys.
 */
export function moved(shown: readonly FlameNode[], marked: number, key: string): number | undefined {
  if (!/^Arrow(?:Up|Down|Left|Right)$/.test(key)) return undefined;
  const node = shown.find(({ index }) => index === marked);
  if (node === undefined) return shown[0]?.index;
  if (key === 'ArrowUp') return shown.some(({ index }) => index === node.parent) ? node.parent : marked;
  if (key === 'ArrowDown') {
    const callees = shown.filter(({ parent }) => parent === marked);
    return (
      callees.reduce<FlameNode | undefined>(
        (top, each) => (top === undefined || each.value > top.value ? each : top),
        undefined,
      )?.index ?? marked
    );
  }
  const row = shown.filter(({ level }) => level === node.level);
  const at = row.indexOf(node) + (key === 'ArrowLeft' ? -1 : 1);
  return row[at]?.index ?? marked;
}
