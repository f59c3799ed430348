import { expect, it } from 'vitest';
import {
  EngineException,
  exceptionBlock,
  exceptionText,
  httpStatus,
  toEngineException,
} from '../../../store/embedded/exception.ts';

it('takes the text of the engine apart, however often it was wrapped', () => {
  const wrapped =
    'Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format (x). (UNKNOWN_FORMAT) (version 26.7.2.1). (UNKNOWN_FORMAT)';
  const exception = toEngineException(new Error(wrapped));
  expect(exception).toMatchObject({ engineCode: 73, engineName: 'UNKNOWN_FORMAT', message: 'Unknown format (x).' });
  expect(exceptionText(exception, '26.7.2.1')).toBe(
    'Code: 73. DB::Exception: Unknown format (x). (UNKNOWN_FORMAT) (version 26.7.2.1)\n',
  );
});

it('has a number for what is not the engine’s', () => {
  expect(toEngineException(new Error('EIO'))).toMatchObject({ engineCode: 1002, message: 'EIO' });
  expect(toEngineException('text').message).toBe('text');
});

it('maps codes to statuses as a server does', () => {
  expect([62, 60, 497, 159, 48, 241].map(httpStatus)).toEqual([400, 404, 403, 408, 501, 500]);
});

it('counts the bytes of a broken-off result', () => {
  const block = exceptionBlock(new EngineException(395, 'X', 'ü'), '1', 'tag').toString();
  const [, text, length] = /^\r\n__exception__\r\ntag\r\n([^]*?\n)(\d+) tag\r\n__exception__\r\n$/.exec(block) ?? [];
  expect(Number(length)).toBe(Buffer.byteLength(text ?? ''));
});
