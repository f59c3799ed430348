import { GITHUB_HOOK } from '../../../collectors/index.ts';
import { runCases } from '../../support/cases.ts';

interface Input {
  event: string;
  delivery: string;
  receivedAt: string;
  body: unknown;
}

runCases('test/collectors/github/cases', (input) => {
  if (input.format !== 'json') throw new Error('deliveries are JSON');
  const { event, delivery, receivedAt, body } = input.value as Input;
  const decoded = GITHUB_HOOK.decode({ event, id: delivery, receivedAtMs: Date.parse(receivedAt) }, body);
  return decoded.kind === 'rejected'
    ? { expected: [], rejects: [decoded.reject] }
    : { expected: [...decoded.runs, ...decoded.jobs], rejects: [] };
});
