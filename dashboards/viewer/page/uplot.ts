/** uPlot, loaded by a script of its own before this module; its small build has no ES module form. */
import type uPlotType from 'uplot';

export const uPlot = (globalThis as unknown as { uPlot: typeof uPlotType }).uPlot;
export type Plot = uPlotType;
export type PlotOptions = uPlotType.Options;
export type PlotSeries = uPlotType.Series;
export type PlotAxis = uPlotType.Axis;
