/** Whether the engine failed for want of room: that passes, and is no fault of the statement. */
import { StoreError } from '../core/errors.ts';

/** src/Common/ErrorCodes.cpp of ClickHouse. */
const CANNOT_WRITE_TO_FILE_DESCRIPTOR = 75;
const NOT_ENOUGH_SPACE = 243;
/** What the standard library throws; only the text tells what it was. */
const STD_EXCEPTION = 1001;

export function isFullDisk(error: unknown): boolean {
  if (!(error instanceof StoreError)) return false;
  const { engineCode, message } = error;
  if (engineCode === NOT_ENOUGH_SPACE || engineCode === CANNOT_WRITE_TO_FILE_DESCRIPTOR) return true;
  return engineCode === STD_EXCEPTION && message.includes('No space left on device');
}
