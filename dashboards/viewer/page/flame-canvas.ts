/** The drawing of a flame graph: boxes on a canvas, roots on top, children beneath their callers. */
import { cssColor } from './dom.ts';
import { type FlameNode, type FlameTree, packageOf, pathTo, shortLabel, subtreeEnd } from './flame-tree.ts';
import { currentTheme } from './theme.ts';

export const ROW_PX = 20;
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
/** Narrower boxes say nothing and are drawn as a sliver, if at all. */
const MIN_PX = 0.4;
const MIN_LABEL_PX = 26;
const PAD_PX = 5;
const HUES = 18;

export interface FlameScene {
  tree: FlameTree;
  /** The node that takes the whole width, or -1. */
  focus: number;
  found: ReadonlySet<number> | undefined;
  /** Node under the pointer or the keyboard's, or -1. */
  marked: number;
}

/** A node's box, in CSS pixels. */
export interface Box {
  node: FlameNode;
  left: number;
  width: number;
}

/** Boxes to draw for a width: the focused node's callers and all that it calls. */
export function layout({ tree, focus }: FlameScene, width: number): Box[] {
  const focused = tree.nodes[focus];
  const [origin, span] = focused === undefined ? [0, tree.total] : [focused.start, focused.value];
  const scale = span > 0 ? width / span : 0;
  const above = focused === undefined ? [] : pathTo(tree, focus).slice(0, -1);
  const below = focused === undefined ? tree.nodes : tree.nodes.slice(focus, subtreeEnd(tree, focus));
  return [
    ...above.map((node) => ({ node, left: 0, width })),
    ...below
      .map((node) => ({ node, left: (node.start - origin) * scale, width: node.value * scale }))
      .filter((box) => box.width >= MIN_PX),
  ];
}

/** Draws the boxes; the canvas is sized for its host's width and the tree's depth. */
export function paint(canvas: HTMLCanvasElement, width: number, scene: FlameScene, boxes: readonly Box[]): void {
  const ratio = devicePixelRatio;
  const height = scene.tree.depth * ROW_PX;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  context.font = FONT;
  context.textBaseline = 'middle';
  const colors = palette();
  for (const box of boxes) paintBox(context, box, scene, colors);
}

interface Colors {
  text: string;
  ring: string;
  match: string;
  quiet: string;
  hue: (hue: number) => string;
}

function palette(): Colors {
  const dark = currentTheme() === 'dark';
  return {
    text: cssColor('--flame-text'),
    ring: cssColor('--text'),
    match: cssColor('--flame-match'),
    quiet: cssColor('--flame-quiet'),
    hue: (hue) => (dark ? `hsl(${hue} 34% 31%)` : `hsl(${hue} 62% 77%)`),
  };
}

function paintBox(
  context: CanvasRenderingContext2D,
  { node, left, width }: Box,
  scene: FlameScene,
  colors: Colors,
): void {
  const top = node.level * ROW_PX;
  const gap = width > 3 ? 1 : 0;
  const { found } = scene;
  const matched = found?.has(node.index) === true;
  const calling = scene.focus >= 0 && node.level < (scene.tree.nodes[scene.focus]?.level ?? 0);
  context.globalAlpha = (found !== undefined && !matched) || calling ? 0.38 : 1;
  context.fillStyle = matched ? colors.match : fillOf(node, colors);
  context.fillRect(left, top, Math.max(width - gap, MIN_PX), ROW_PX - 1);
  if (node.index === scene.marked) {
    context.globalAlpha = 1;
    context.strokeStyle = colors.ring;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, top + 0.75, Math.max(width - gap - 1.5, 1), ROW_PX - 2.5);
  }
  if (width < MIN_LABEL_PX) return;
  context.globalAlpha = (found !== undefined && !matched) || calling ? 0.75 : 1;
  context.fillStyle = colors.text;
  context.fillText(fitted(context, shortLabel(node.label), width - 2 * PAD_PX), left + PAD_PX, top + ROW_PX / 2);
}

/** The longest beginning of the text that fits, with an ellipsis where it was cut; '' where not even three letters fit. */
function fitted(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let [fits, over] = [0, text.length];
  while (over - fits > 1) {
    const middle = (fits + over) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= room) fits = middle;
    else over = middle;
  }
  return fits < 3 ? '' : `${text.slice(0, fits)}…`;
}

/** A package has one colour on every graph; the runtime, which everybody has, stays in the background. */
function fillOf(node: FlameNode, colors: Colors): string {
  const name = packageOf(node.label);
  if (node.parent < 0 || name === 'runtime' || name.startsWith('runtime/') || name.startsWith('internal/'))
    return colors.quiet;
  let hash = 2166136261;
  for (let index = 0; index < name.length; index += 1) hash = Math.imul(hash ^ name.charCodeAt(index), 16777619) >>> 0;
  return colors.hue(((hash % HUES) * 360) / HUES);
}
