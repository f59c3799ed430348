import { DEPLOYMENTS } from '../../../collectors/index.ts';
import { runCases } from '../../support/cases.ts';

interface Input {
  mediaType: string;
  receivedAt: string;
  /** Text as it is, or a document. */
  body: unknown;
}

runCases('test/collectors/deployments/cases', (input) => {
  if (input.format !== 'json') throw new Error('events are JSON');
  const { mediaType, receivedAt, body } = input.value as Input;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const { rows, rejects } = DEPLOYMENTS.decode(mediaType, Buffer.from(text), Date.parse(receivedAt));
  return { expected: rows, rejects };
});
