import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard, queryVariable } from '../kit/board.ts';
import { stat, table, text, timeseries } from '../kit/panels.ts';
import type { ViewQuery } from '../kit/query.ts';
import type { Board } from '../shared/model.ts';
import { deployMarks, SERVICE_TITLE } from './deploy-marks.ts';

const OF_REPOSITORY = '$__conditionalAll(repository IN (${repository:singlequote}), $repository)';

/** Contributors: how much is contributed, by how many, and does it hold? Never: by whom. */
export function contributorHealth(): Board {
  return exportBoard(
    board({
      uid: 'heliograph-contributors',
      title: 'Contributors',
      description:
        'Commits by week, by repository and never by person: how many, by how many people, and do they pass CI.',
      tags: ['team'],
      from: 'now-90d',
      refresh: '5m',
      annotations: [deployMarks(SERVICE_TITLE, [OF_REPOSITORY])],
    })
      .withVariable(repositoryVariable())
      .withPanel(humanCommits())
      .withPanel(mostContributors())
      .withPanel(effectiveShare())
      .withPanel(assistedShare())
      .withPanel(botShare())
      .withPanel(newestCollection())
      .withRow(new RowBuilder('Week by week'))
      .withPanel(commitsByWeek())
      .withPanel(activeContributors())
      .withPanel(kinds())
      .withPanel(effective())
      .withPanel(lines())
      .withRow(new RowBuilder('What this is, and what it is not'))
      .withPanel(repositories())
      .withPanel(framing()),
  );
}

const repositoryVariable = () =>
  queryVariable({
    name: 'repository',
    label: 'Repository',
    description: 'Repositories whose history is collected, busiest first.',
    query: { view: 'repositories', select: ['repository'], orderBy: ['commits DESC', 'repository'] },
    multi: true,
  });

const HEADLINE = { width: 4, height: 3 };
const HALF = { width: 12, height: 9 };
const THIRD = { width: 8, height: 9 };
const WEEKLY = { interval: '7d' } as const;
const NO_COMMITS =
  'No commit of this choice in this range. Name repositories under git.repositories in heliograph.yaml; heliograph query repositories says what was collected.';
const NO_COMMITS_SHORT = 'No commit of this choice in this range. Set git.repositories.';
const WHOLE_WEEKS = 'Whole weeks from Monday, UTC; the running week is not over.';

const overall = (select: string, having = 'sum(human_commits) > 0'): ViewQuery => ({
  view: 'contributions_by_week',
  select: [select],
  where: [OF_REPOSITORY],
  having,
});

const humanCommits = () =>
  stat({
    ...HEADLINE,
    id: 1,
    title: 'Human commits',
    unit: 'locale',
    description: `Commits that are no merges and whose author is no bot. ${WHOLE_WEEKS} Not a measure of work: people cut their commits as they like.`,
    noValue: NO_COMMITS_SHORT,
    query: overall('sum(human_commits) AS commits'),
  });

const mostContributors = () =>
  stat({
    ...HEADLINE,
    id: 2,
    title: 'Most people in a week',
    unit: 'locale',
    description:
      'The largest number of distinct authors and co-authors of one week in one repository, and which. Weeks with fewer than the floor, five unless more is set, are hidden, so that nobody can be made out.',
    noValue: 'No week with five contributors or more; fewer are not shown.',
    named: true,
    query: {
      view: 'contributions_by_week',
      select: ['repository', 'active_contributors'],
      where: [OF_REPOSITORY, 'active_contributors IS NOT NULL'],
      orderBy: ['active_contributors DESC', 'time DESC', 'repository'],
      limit: 1,
    },
  });

const effectiveShare = () =>
  stat({
    ...HEADLINE,
    id: 3,
    title: 'Effective commits',
    unit: 'percentunit',
    description:
      'Share of the human commits that are contained in the head of a successful CI run, over the weeks of which CI knows something. Amber below 80 %: work that has not passed yet.',
    noValue: 'CI is not known to have run on these commits. Connect /hooks/github.',
    thresholds: ['orange', [0.8, 'green']],
    query: overall(
      'sum(effective_commits) / sumIf(human_commits, effective_commits IS NOT NULL) AS effective_ratio',
      'sumIf(human_commits, effective_commits IS NOT NULL) > 0',
    ),
  });

const assistedShare = () =>
  stat({
    ...HEADLINE,
    id: 4,
    title: 'Agent-assisted',
    unit: 'percentunit',
    description:
      'Share of the human commits whose trailers name a coding agent. A lower bound: assistance that leaves no trailer is not seen. Neither good nor bad by itself.',
    noValue: NO_COMMITS_SHORT,
    query: overall('sum(agent_assisted_commits) / sum(human_commits) AS assisted_ratio'),
  });

const botShare = () =>
  stat({
    ...HEADLINE,
    id: 5,
    title: 'Bots',
    unit: 'percentunit',
    description:
      'Share of the commits other than merges whose author is a bot or a coding agent. Bad: a jump nobody planned, such as dependency updates that merge themselves.',
    noValue: NO_COMMITS_SHORT,
    query: overall(
      'sum(bot_commits) / (sum(bot_commits) + sum(human_commits)) AS bot_ratio',
      'sum(bot_commits) + sum(human_commits) > 0',
    ),
  });

const newestCollection = () =>
  stat({
    ...HEADLINE,
    id: 6,
    title: 'Collected',
    unit: 'dateTimeFromNow',
    description:
      'When the repository that was collected longest ago was last collected. Bad: older than half an hour; then its figures stand still.',
    noValue: 'Nothing was collected yet. Set git.repositories in heliograph.yaml.',
    query: {
      view: 'repositories',
      select: ['toUnixTimestamp64Milli(min(collected_at)) AS collected_ms'],
      where: [OF_REPOSITORY],
      having: 'sum(commits) > 0',
    },
  });

const byRepository = (value: string): ViewQuery => ({
  view: 'contributions_by_week',
  select: ['time', 'repository', `${value} AS Value`],
  where: [OF_REPOSITORY],
  orderBy: ['time', 'repository'],
});

const together = (...values: string[]): ViewQuery => ({
  view: 'contributions_by_week',
  select: ['time', ...values],
  where: [OF_REPOSITORY],
  groupBy: ['time'],
  orderBy: ['time'],
});

const commitsByWeek = () =>
  timeseries({
    ...HALF,
    ...WEEKLY,
    id: 7,
    title: 'Human commits by week',
    unit: 'short',
    description: `Commits that are no merges and whose author is no bot, stacked by repository. ${WHOLE_WEEKS} Bad: a repository that falls silent while it is still in use.`,
    noValue: NO_COMMITS,
    bars: true,
    query: byRepository('human_commits'),
  });

const activeContributors = () =>
  timeseries({
    ...HALF,
    ...WEEKLY,
    plain: true,
    id: 8,
    title: 'Active contributors by week',
    unit: 'short',
    description: `Distinct authors and co-authors of the human commits. A gap is a week with fewer than the floor, five unless more is set, which is hidden so that nobody can be made out; it is not zero. ${WHOLE_WEEKS} Bad: a line that sinks for weeks, for then knowledge leaves.`,
    noValue: NO_COMMITS,
    query: byRepository('active_contributors'),
  });

const kinds = () =>
  timeseries({
    ...THIRD,
    ...WEEKLY,
    id: 9,
    title: 'People, agents, bots, merges',
    unit: 'short',
    description: `All commits by kind, stacked: by people alone, by people with a coding agent that a trailer names, by bots, and merges. ${WHOLE_WEEKS} Bad: bots that outgrow people without anybody wanting it.`,
    noValue: NO_COMMITS,
    bars: true,
    colors: { people: 'blue', assisted: 'purple', bots: 'yellow', merges: 'green' },
    query: together(
      'sum(human_commits) - sum(agent_assisted_commits) AS people',
      'sum(agent_assisted_commits) AS assisted',
      'sum(bot_commits) AS bots',
      'sum(merge_commits) AS merges',
    ),
  });

const effective = () =>
  timeseries({
    ...THIRD,
    ...WEEKLY,
    plain: true,
    id: 10,
    title: 'Effective commits',
    unit: 'short',
    description: `Human commits, and of them those contained in the head of a successful CI run. The newest week trails until CI has run. ${WHOLE_WEEKS} Bad: lines that part and stay apart.`,
    noValue: NO_COMMITS,
    colors: { human: 'blue', effective: 'green' },
    query: together('sum(human_commits) AS human', 'sum(effective_commits) AS effective'),
  });

const lines = () =>
  timeseries({
    ...THIRD,
    ...WEEKLY,
    id: 11,
    title: 'Lines changed',
    unit: 'short',
    description: `Lines that the human commits added and deleted, binary files not counted, stacked. ${WHOLE_WEEKS} Generated files weigh more than thought: says how much moved, never how good it was.`,
    noValue: NO_COMMITS,
    bars: true,
    colors: { added: 'green', deleted: 'red' },
    query: together('sum(additions) AS added', 'sum(deletions) AS deleted'),
  });

const repositories = () =>
  table({
    ...HALF,
    height: 11,
    id: 12,
    title: 'Repositories',
    unit: 'none',
    description:
      'What is collected, and up to which commit. Commits are those of the exact range, merges and bots among them. A repository leads to its CI. Bad: a collection that is hours old.',
    noValue: 'No repository is collected. Name some under git.repositories in heliograph.yaml.',
    query: {
      view: 'repositories',
      select: ['repository', 'commits', 'branch', 'left(tip, 10) AS newest', 'collected_at'],
      where: [OF_REPOSITORY, 'commits > 0'],
      orderBy: ['commits DESC', 'repository'],
      limit: 500,
    },
    columns: {
      repository: {
        title: 'Repository',
        link: {
          title: 'CI of ${__data.fields.repository}',
          url: '/d/heliograph-ci?${__url_time_range}&var-repository=${__data.fields.repository:percentencode}',
        },
      },
      commits: { title: 'Commits', unit: 'locale' },
      branch: { title: 'Branch' },
      newest: { title: 'Tip' },
      collected_at: { title: 'Collected', unit: 'dateTimeFromNow' },
    },
  });

const framing = () =>
  text({
    ...HALF,
    height: 11,
    id: 13,
    title: 'How to read this board',
    description: 'What the figures mean, what they leave out, and how to check them with git.',
    content: `**No ranking.** This board counts by repository and week, never by person, and hides every count of fewer people than the floor, five unless more is set. Commits do not measure work: one person squashes, another commits every hour. Use it to see a team change, not to compare people or teams.

- **Human commits** are no merges, and their author is neither a bot nor a coding agent.
- **Active contributors** are distinct authors and co-authors of human commits; people who review, plan and help are not seen.
- **Agent-assisted** commits name a coding agent in a trailer; others may have been assisted too.
- **Effective commits** are contained in the head of a successful CI run. A week of which CI knows nothing is unknown, not zero.

Names and addresses of people are stored encrypted and apart from these figures, which hold pseudonyms. The same weeks from git itself, bots included:

\`\`\`
TZ=UTC git log --no-merges --date=format-local:%G-W%V --format=%cd main | sort | uniq -c
\`\`\``,
  });
