/** A repository of any size with some of everything, made by one `git fast-import`; the same for the same numbers. */
import { createRepo, type TestRepo } from './git-repo.ts';

const DAY_S = 86_400;
const START_S = 1_600_000_000;
const HUMANS = 23;
const BOTS = [
  'dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>',
  'Renovate Bot <bot@renovateapp.com>',
];

export interface Generated {
  repo: TestRepo;
  commits: number;
}

/** `commits` in all, merges among them. About a second for ten thousand. */
export function generateRepo(dir: string, commits: number, seed = 1): Generated {
  const repo = createRepo(dir, '--bare');
  repo.bytes(['fast-import', '--quiet', '--date-format=raw'], Buffer.concat(script(commits, seed)));
  repo.git('symbolic-ref', 'HEAD', 'refs/heads/main');
  return { repo, commits };
}

/** Park and Miller's generator: the numbers are the same on every machine. */
function randomOf(seed: number): (below: number) => number {
  let state = seed % 2_147_483_647 || 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

function personOf(number: number): string {
  return number % 7 === 3
    ? `Dev ${number} <${number}000+dev${number}@users.noreply.github.com>`
    : `Dév ${number} <Dev${number}@Example.com>`;
}

function data(text: string | Buffer): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

function script(commits: number, seed: number): Buffer[] {
  const random = randomOf(seed);
  const parts: Buffer[] = [];
  const say = (text: string): void => void parts.push(Buffer.from(text));
  const files = new Map<string, number>();
  const lines = (count: number): string => Array.from({ length: count }, () => `line ${random(400)}\n`).join('');
  for (let mark = 1; mark <= commits; mark++) {
    const atS = START_S + Math.floor((mark * 400 * DAY_S) / commits);
    const isBot = random(11) === 0;
    const author = isBot ? (BOTS[random(2)] ?? '') : personOf(random(HUMANS));
    const isMerge = mark > 10 && random(9) === 0;
    const web = random(8) === 0;
    const offset = ['+0000', '+0530', '-0800', '+0200'][random(4)];
    say(`commit refs/heads/main\nmark :${mark}\nauthor ${author} ${web ? atS : atS - random(5000)} ${offset}\n`);
    say(`committer ${web ? 'GitHub <noreply@github.com>' : author} ${atS} ${offset}\n`);
    const trailer = random(6) === 0 ? `\n\nCo-authored-by: ${personOf(random(HUMANS))}` : '';
    parts.push(data(`Change ${mark}${trailer}\n`));
    if (mark > 1) say(`from :${mark - 1}\n`);
    if (isMerge) say(`merge :${mark - 2 - random(7)}\n`);
    if (mark === 1) {
      say('M 100644 inline .mailmap\n');
      parts.push(data('Developer One <dev1@example.com> <DEV2@example.com>\n'));
    }
    for (let change = random(4); change > 0; change--) {
      const names = [...files.keys()];
      const existing = names[random(Math.max(1, names.length))];
      const kind = random(12);
      if (kind === 0 && existing !== undefined) {
        say(`D ${existing}\n`);
        files.delete(existing);
      } else if (kind === 1 && existing !== undefined) {
        const renamed = `moved/${mark}-${change}.go`;
        say(`R ${existing} ${renamed}\n`);
        files.delete(existing);
        files.set(renamed, 1);
      } else {
        const path = kind < 8 && existing !== undefined ? existing : `dir${random(30)}/f${mark}-${change}.go`;
        say(`M 100644 inline ${path}\n`);
        parts.push(data(kind === 2 ? Buffer.from([0, random(256), random(256)]) : lines(10 + random(60))));
        files.set(path, 1);
      }
    }
    say('\n');
  }
  say('done\n');
  return parts;
}
