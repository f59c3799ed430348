/** What the panels of the Go runtime board have in common: the chosen service and targets, and their sizes. */

export const OF_SERVICE = 'service = ${service:singlequote}';
export const OF_TARGET = '$__conditionalAll(target IN (${target:singlequote}), $target)';

export const HEADLINE = { width: 4, height: 3 };
export const HALF = { width: 12, height: 9 };
/** Room for six lines of legend. */
export const TALL = { width: 12, height: 11 };
