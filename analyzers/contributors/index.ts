import type { Analyzer, ViewColumn, ViewParameter } from '../types.ts';

const WINDOW: readonly ViewParameter[] = [
  { name: 'from', type: 'DateTime', description: 'Start of the window.' },
  { name: 'to', type: 'DateTime', description: 'End of the window.' },
];

const REPOSITORY: ViewColumn = {
  name: 'repository',
  type: 'String',
  unit: '',
  description: 'Its configured name, else owner/name of its remote, else its folder.',
};

const commits = (name: string, description: string, type = 'UInt64'): ViewColumn => ({
  name,
  type,
  unit: 'commits',
  description,
});

/** How much is contributed to a repository and by how many, never by whom. Definitions and known bias: README.md in this folder. */
export const contributors: Analyzer = {
  name: 'contributors',
  sql: 'analyzers/contributors/contributors.sql',
  views: [
    {
      name: 'contributions_by_week',
      question: 'How much is contributed to each repository, by how many people, and does it pass CI?',
      description:
        'One row per ISO week and repository with commits: whole weeks, from the one that holds `from` to the last that starts before `to`.',
      parameters: [
        ...WINDOW,
        {
          name: 'floor',
          type: 'UInt32',
          description:
            'Counts of people below this are hidden; `people.floor` (5 or more) at least, whatever is asked for.',
          default: 5,
        },
      ],
      columns: [
        { name: 'time', type: 'DateTime', unit: '', description: 'Monday 00:00 UTC of the week.' },
        REPOSITORY,
        commits('human_commits', 'Commits that are no merges and whose author is no bot.'),
        commits('bot_commits', 'Commits that are no merges and whose author is a bot or a coding agent.'),
        commits('merge_commits', 'Commits with two parents or more, whoever made them.'),
        commits('agent_assisted_commits', 'Of the human commits those that name a coding agent; a lower bound.'),
        commits(
          'effective_commits',
          'Of the human commits those contained in the head of a successful CI run; NULL where no run contains any commit of the week.',
          'Nullable(UInt64)',
        ),
        {
          name: 'active_contributors',
          type: 'Nullable(UInt64)',
          unit: 'people',
          description:
            'Distinct authors and co-authors of the human commits; NULL where they are fewer than the floor.',
        },
        {
          name: 'hidden_contributors',
          type: 'Bool',
          unit: '',
          description: 'Whether there were people, but fewer than the floor.',
        },
        {
          name: 'additions',
          type: 'UInt64',
          unit: 'lines',
          description: 'Lines added by the human commits, binary files not counted.',
        },
        { name: 'deletions', type: 'UInt64', unit: 'lines', description: 'Lines deleted by them.' },
      ],
      countColumn: 'human_commits',
      orderBy: ['time', 'repository'],
      source: 'git',
    },
    {
      name: 'repositories',
      question: 'Which repositories are collected, and up to which commit?',
      description: 'One row per repository.',
      parameters: WINDOW,
      columns: [
        REPOSITORY,
        commits('commits', 'Commits of its branch whose commit time lies in the window.'),
        { name: 'tip', type: 'String', unit: '', description: 'Newest commit collected.' },
        { name: 'branch', type: 'String', unit: '', description: 'The branch that is collected.' },
        {
          name: 'collected_at',
          type: 'DateTime64(3)',
          unit: '',
          description: 'When it was last collected; renewed every ten minutes while nothing is new.',
        },
      ],
      countColumn: 'commits',
      orderBy: ['repository'],
      source: 'git',
    },
  ],
};
