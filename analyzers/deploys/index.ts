import type { Analyzer } from '../types.ts';

/** What was deployed, when and where. Definitions and known bias: README.md in this folder. */
export const deploys: Analyzer = {
  name: 'deploys',
  sql: 'analyzers/deploys/deploys.sql',
  views: [
    {
      name: 'deploys',
      question: 'What was deployed, when and where?',
      description:
        'One row per deployment: reported ones, and versions that were first seen in spans while another was known.',
      parameters: [
        { name: 'from', type: 'DateTime', description: 'Start of the window.' },
        { name: 'to', type: 'DateTime', description: 'End of the window, exclusive.' },
      ],
      columns: [
        {
          name: 'time',
          type: 'DateTime64(3)',
          unit: '',
          description: 'When it finished, else started, else was first reported; the minute a version was first seen.',
        },
        { name: 'service', type: 'String', unit: '', description: 'service.name.' },
        { name: 'environment', type: 'String', unit: '', description: 'As reported; empty for a version seen.' },
        { name: 'version', type: 'String', unit: '', description: 'Empty where absent.' },
        { name: 'sha', type: 'String', unit: '', description: 'Commit, lower hex; empty where absent.' },
        { name: 'repository', type: 'String', unit: '', description: 'Empty where absent.' },
        {
          name: 'kind',
          type: 'Nullable(String)',
          unit: '',
          description: 'planned, rollback or hotfix; NULL where unknown.',
        },
        {
          name: 'status',
          type: 'String',
          unit: '',
          description: 'As last reported; unknown where no event named one; seen for a version seen.',
        },
        { name: 'source', type: 'String', unit: '', description: 'event, or version seen.' },
        { name: 'id', type: 'String', unit: '', description: 'The sender’s; service@version for a version seen.' },
        { name: 'text', type: 'String', unit: '', description: 'In a line, for annotations.' },
      ],
      orderBy: ['time', 'service', 'id'],
      source: 'deployments',
    },
  ],
};
