// @ts-check
/**
 * The history of the demo's repository: four weeks in which a team writes go-shop, in branches that are merged, with a bot
 * that updates modules. Pure: the same files, time and seed give the same commits. Written by `git fast-import`.
 */
import { atWork, BOT, MAILMAP, SECOND_ADDRESS, TEAM } from './people.mjs';
import { pick, seededRandom } from './random.mjs';

/** @typedef {import('./people.mjs').Person} Person */

/**
 * @typedef {object} Commit
 * @property {number} mark number by which other commits name it
 * @property {Person} author
 * @property {number} seconds Unix time
 * @property {string} message
 * @property {number[]} parents marks, first parent first; none for the first commit
 * @property {{path: string, content: string}[]} changes
 * @property {boolean} onMain whether it stands on the first-parent line of main
 */

/**
 * @typedef {object} SourceFile
 * @property {string} path
 * @property {string} text
 */

const DAY = 86_400;
export const HISTORY_DAYS = 28;
const FEATURES_PER_DAY = 2;
/** The bot has the third of every seven turns. */
const BOT_EVERY = 7;
const BOT_TURN = 3;

const WORK = [
  'Answer with the reason where an order is refused',
  'Keep connections to inventory open',
  'Name the route on every span',
  'Count the mails that were dropped',
  'Read the stock of a basket in one question',
  'Say no to bodies larger than a megabyte',
  'Give the payment a span of its own',
  'Wait for a service that restarts',
  'Publish the depth of the mail queue',
  'Stop in order on SIGTERM',
  'Forget the oldest orders first',
  'Test the receipt’s signature',
  'Move the admin port to loopback',
  'Draw the front page from one read',
];

/**
 * The commits in order of time, up to the version that runs first. `files` are go-shop's sources; what `lastPart` names is
 * left for the commit of `nextVersion`.
 * @param {readonly SourceFile[]} files
 * @param {readonly string[]} lastPart paths of files whose last third is still missing
 * @param {number} nowSeconds Unix time at which the history ends
 * @returns {Commit[]}
 */
export function planHistory(files, lastPart, nowSeconds) {
  const random = seededRandom(2026);
  const startSeconds = nowSeconds - HISTORY_DAYS * DAY;
  const features = HISTORY_DAYS * FEATURES_PER_DAY;
  /** @type {Commit[]} */
  const commits = [];
  const grow = growth(files, lastPart, features);
  const add = (/** @type {Omit<Commit, 'mark'>} */ commit) => {
    commits.push({ mark: commits.length + 1, ...commit });
    return commits.length;
  };
  const first = /** @type {Person} */ (TEAM[0]);
  let main = add({
    author: first,
    seconds: startSeconds,
    message: 'Begin the shop\n',
    parents: [],
    changes: [{ path: '.mailmap', content: MAILMAP }, ...grow(0, random)],
    onMain: true,
  });
  for (let feature = 1; feature <= features; feature++) {
    const from = startSeconds + ((nowSeconds - startSeconds) * (feature - 0.9)) / features;
    const span = ((nowSeconds - startSeconds) / features) * 0.8;
    if (feature % BOT_EVERY === BOT_TURN) {
      const update = Math.ceil(feature / BOT_EVERY);
      const content = `golang.org/x/net v0.${50 + update}.0\n`;
      const message = `Update module golang.org/x/net to v0.${50 + update}.0\n`;
      const changes = [{ path: 'modules.txt', content }];
      main = add({ author: BOT, seconds: Math.floor(from), message, parents: [main], changes, onMain: true });
      continue;
    }
    const changes = grow(feature, random);
    if (changes.length > 0) main = addFeature({ add, random, main, feature, from, span, changes });
  }
  return commits;
}

/**
 * A branch of one to three commits and its merge. Returns the mark of the merge.
 * @param {{add: (commit: Omit<Commit, 'mark'>) => number, random: () => number, main: number, feature: number,
 *   from: number, span: number, changes: Commit['changes']}} given
 */
function addFeature({ add, random, main, feature, from, span, changes }) {
  const subject = pick(random, WORK);
  const steps = Math.min(changes.length, 1 + Math.floor(random() * 3));
  const author = pick(random, atWork(from));
  let tip = main;
  for (let step = 0; step < steps; step++) {
    const seconds = Math.floor(from + (span * step) / (steps + 1));
    const mine = changes.filter((_, i) => i % steps === step);
    const message = `${step === 0 ? subject : `${subject}, part ${step + 1}`}\n${random() < 0.2 ? coAuthor(random, author) : ''}`;
    const by = author.name.startsWith('Grace') && random() < 0.4 ? SECOND_ADDRESS : author;
    tip = add({ author: by, seconds, message, parents: [tip], changes: mine, onMain: false });
  }
  const mergedAt = Math.floor(from + span);
  const reviewer = pick(
    random,
    atWork(mergedAt).filter(({ email }) => email !== author.email),
  );
  const by = reviewer ?? author;
  const message = `Merge pull request #${100 + feature}: ${subject}\n\nReviewed-by: ${by.name} <${by.email}>\n`;
  // The tree of a merge begins as that of main, so it repeats what the branch changed.
  return add({ author: by, seconds: mergedAt, message, parents: [main, tip], changes, onMain: true });
}

/**
 * @param {() => number} random
 * @param {Person} author
 */
function coAuthor(random, author) {
  const other = pick(
    random,
    TEAM.filter(({ email }) => email !== author.email),
  );
  return `\nCo-authored-by: ${other.name} <${other.email}>\n`;
}

/**
 * The commit of the version that is deployed while the demo runs: the rest of the files that were held back.
 * @param {readonly SourceFile[]} files
 * @param {readonly string[]} lastPart
 * @param {number} nowSeconds
 * @returns {Commit}
 */
export function nextVersion(files, lastPart, nowSeconds) {
  return {
    mark: 1,
    author: pick(seededRandom(7), atWork(nowSeconds)),
    seconds: nowSeconds,
    message: 'Take the price of each article fresh, and do not wait for its score\n',
    parents: [],
    changes: files.filter(({ path }) => lastPart.includes(path)).map(({ path, text }) => ({ path, content: text })),
    onMain: true,
  };
}

/**
 * How the files grow: a function from the number of a step to the files that change in it. A file appears at some step, gains
 * lines until the last one, and now and then loses a few on the way.
 * @param {readonly SourceFile[]} files
 * @param {readonly string[]} lastPart
 * @param {number} steps
 * @returns {(step: number, random: () => number) => {path: string, content: string}[]}
 */
function growth(files, lastPart, steps) {
  const shown = new Map(files.map(({ path }) => [path, 0]));
  return (step, random) =>
    files.flatMap(({ path, text }, i) => {
      const lines = text.split('\n');
      const whole = lastPart.includes(path) ? Math.ceil(lines.length * 0.66) : lines.length;
      const born = (i / files.length) * steps * 0.5;
      const due = step === steps ? whole : Math.ceil((whole * (step - born)) / (steps - born));
      const before = shown.get(path) ?? 0;
      const changes = step === steps ? due !== before : step >= born && (before === 0 || random() < 0.3);
      if (!changes) return [];
      const count = Math.max(1, random() < 0.15 && step < steps ? due - 4 : due);
      if (count === before) return [];
      shown.set(path, count);
      return [{ path, content: `${lines.slice(0, count).join('\n').trimEnd()}\n` }];
    });
}

/**
 * The commits as a stream for `git fast-import`, on branch main.
 * @param {readonly Commit[]} commits
 * @param {string} [base] commit on which the first one stands, where there is one
 */
export function fastImportStream(commits, base) {
  const data = (/** @type {string} */ text) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  return commits
    .map(({ mark, author, seconds, message, parents, changes, onMain }) => {
      const who = `${author.name} <${author.email}> ${seconds} ${author.offset}`;
      const from = parents[0] === undefined ? base : `:${parents[0]}`;
      return [
        `commit refs/heads/${onMain ? 'main' : 'work'}\n`,
        `mark :${mark}\n`,
        `author ${who}\ncommitter ${who}\n`,
        data(message),
        from === undefined ? '' : `from ${from}\n`,
        ...parents.slice(1).map((parent) => `merge :${parent}\n`),
        ...changes.map(({ path, content }) => `M 100644 inline ${path}\n${data(content)}`),
        '\n',
      ].join('');
    })
    .join('');
}
