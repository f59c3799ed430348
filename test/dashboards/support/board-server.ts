import fastify, { type FastifyInstance } from 'fastify';
import { registerBoards } from '../../../app/http/boards.ts';
import { registerPage } from '../../../app/http/page.ts';
import { registerQuery } from '../../../app/http/query.ts';
import { sendError } from '../../../app/http/server.ts';
import { systemClock } from '../../../core/clock.ts';
import { startMigratedEngine, type TestEngine } from '../../support/engine.ts';
import { quietLog } from '../../support/quiet-log.ts';
import { loadDemoPipeline } from './demo-pipeline.ts';
import { loadDemoProfiles } from './demo-profiles.ts';
import { demoStatements } from './demo-spans.ts';
import { loadDemoTeam } from './demo-team.ts';

export interface BoardServer {
  app: FastifyInstance;
  engine: TestEngine;
  stop(): Promise<void>;
}

/** Stores `spans` demo spans over two hours and as many over thirty days, with profiles, commits, runs and deploys beside them. */
export async function seed(engine: TestEngine, spans: number): Promise<void> {
  const nowMs = systemClock.nowMs();
  for (const sql of demoStatements(nowMs, spans)) await engine.store.command({ sql });
  await loadDemoProfiles(engine, nowMs);
  await loadDemoTeam(engine, nowMs);
  await loadDemoPipeline(engine, nowMs);
}

/** Boards, queries and the page over a real engine, with nothing stored yet. */
export async function startBoardServer(): Promise<BoardServer> {
  const engine = await startMigratedEngine();
  const app = fastify();
  app.setErrorHandler((error, request, reply) => sendError(quietLog, error, request, reply));
  const deps = { store: engine.store, clock: systemClock };
  registerBoards(app, deps);
  registerQuery(app, deps);
  registerPage(app);
  const stop = async () => {
    await app.close();
    await engine.stop();
  };
  return { app, engine, stop };
}
