import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { limitBytes } from '../../../store/face/limit-bytes.ts';

async function read(source: Readable, maxBytes: number): Promise<{ text: string; error?: string; ended: number }> {
  let ended = 0;
  let text = '';
  try {
    for await (const chunk of limitBytes(source, maxBytes, () => ended++) as AsyncIterable<Buffer>)
      text += String(chunk);
    return { text, ended };
  } catch (error) {
    return { text, error: (error as Error).message, ended };
  }
}

test('an answer up to the bound passes whole', async () => {
  expect(await read(Readable.from([Buffer.from('abc'), Buffer.from('def')]), 6)).toEqual({ text: 'abcdef', ended: 1 });
});

test('one over it is broken off, and its source with it', async () => {
  const source = Readable.from(
    (function* () {
      for (;;) yield Buffer.from('abc');
    })(),
  );
  expect(await read(source, 7)).toMatchObject({ error: 'the answer is over 7 bytes', ended: 1 });
  expect(source.destroyed).toBe(true);
});
