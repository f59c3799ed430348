import { expect, test } from 'vitest';
import { botRule, isAgent, namesAgent } from '../../../collectors/git/bots.ts';

test.each([
  ['Codeboten', 'codeboten@example.com', ''],
  ['Alex Boten', 'aboten@example.com', ''],
  ['codeboten', '1234+codeboten@users.noreply.github.com', ''],
  ['Jan Bot', 'jan@bot.example', ''],
  ['Robot Jones', 'rjones@example.com', ''],
  ['Abbott', 'abbott@example.com', ''],
  ['Claude Dupont', 'claude@example.fr', ''],
  ['claude', 'claude@example.fr', ''],
  ['', '', ''],
  ['OpenTelemetry Bot', '107717825+opentelemetrybot@users.noreply.github.com', 'known account'],
  ['opentelemetrybot', 'x@example.com', 'known account'],
  ['github-actions', 'github-actions@github.com', 'known account'],
  ['GitHub', 'noreply@github.com', 'known account'],
  ['Renovate Bot', 'bot@renovateapp.com', 'known account'],
  ['dependabot[bot]', '49699333+dependabot[bot]@users.noreply.github.com', 'ends in [bot]'],
  ['Dependabot', '49699333+dependabot[bot]@users.noreply.github.com', 'ends in [bot]'],
  ['Kubernetes Prow Robot', '20407524+k8s-ci-robot@users.noreply.github.com', 'login of a bot'],
  ['release-bot', 'release@example.com', 'login of a bot'],
  ['bot-of-release', 'x@example.com', 'login of a bot'],
  ['jenkins-x', 'x@example.com', 'login of a bot'],
  ['Release Bot', 'no-reply@example.com', 'name of a bot'],
  ['Claude', 'noreply@anthropic.com', 'coding agent'],
  ['Copilot', '198982749+Copilot@users.noreply.github.com', 'coding agent'],
  ['copilot-swe-agent[bot]', '198982749+Copilot@users.noreply.github.com', 'ends in [bot]'],
  ['Ada (aider)', 'ada@example.com', 'coding agent'],
])('%s <%s>: "%s"', (name, email, rule) => {
  expect(botRule({ name, email })).toBe(rule);
  if (rule === 'coding agent') expect(isAgent({ name, email })).toBe(true);
});

test('an agent that is a bot is an agent still', () => {
  expect(isAgent({ name: 'copilot-swe-agent[bot]', email: 'x@example.com' })).toBe(true);
  expect(isAgent({ name: 'dependabot[bot]', email: 'x@example.com' })).toBe(false);
});

test('trailers of assistance name people as well as agents', () => {
  expect(namesAgent('Claude:some-model')).toBe(true);
  expect(namesAgent('GitHub Copilot <copilot@github.com>')).toBe(true);
  expect(namesAgent('Claudette <c@example.com>')).toBe(false);
  expect(namesAgent('Bob <bob@example.com>')).toBe(false);
});
