import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { builtPath } from '../../core/paths.ts';
import type { SenderPlan, Sent } from './sender-plan.ts';

/** Starts a sender, waits until its bodies are made, runs `before` and lets it go. Rejects when it ends without a result. */
export async function runSender(plan: SenderPlan, before: () => void = () => {}): Promise<Sent> {
  const child = spawn(process.execPath, [builtPath('bench/support/sender.ts'), JSON.stringify(plan)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  before();
  child.stdin.write('go\n');
  const { value } = (await lines.next()) as { value: string | undefined };
  if (value === undefined) throw new Error('the sender ended without a result');
  return JSON.parse(value) as Sent;
}
