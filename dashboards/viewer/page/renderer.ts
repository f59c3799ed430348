/** What a panel type implements. */
import type { Panel } from '../../shared/model.ts';
import type { Scope } from './api.ts';
import type { PanelData } from './frames.ts';

export interface RenderContext {
  panel: Panel;
  scope: Scope;
  /** Sets the page's range, Unix ms. */
  zoom(fromMs: number, toMs: number): void;
}

export interface Renderer {
  /** Draws; called again with every answer and after a change of theme or size. Returns false where there is nothing to draw. */
  draw(data: PanelData, context: RenderContext): boolean;
  destroy(): void;
}

export type RendererFactory = (host: HTMLElement) => Renderer;
