/** Sentences and conditions that several panels of the Pipeline board share. */

/** Empty panels over minutes: the process was not there to see. */
export const NOT_KNOWN =
  'Nothing is known of this range: Heliograph did not run, or the range is older than the minutes that are kept (retention.rollupMinute). The first minute appears once it is over.';
export const NOT_KNOWN_SHORT = 'Nothing is known of this range. A minute appears once it is over.';
export const NOTHING_CAME_SHORT = 'Nothing was received in this range. Send traces to http://localhost:4318.';

/** Sizes are known of now alone: they are no answer to a range that ended long ago. */
export const OF_NOW = '$__toTime > now() - INTERVAL 1 HOUR';
export const ON_DISK = 'Nothing is stored yet, or the range ended more than an hour ago: sizes are known of now alone.';
export const ON_DISK_SHORT = 'Nothing is stored, or the range is not of now.';
