/**
 * Who is a person: ordered rules, the first that holds is the reason that is stored. Words, not letters, are looked for: `codeboten`
 * is a human, `opentelemetrybot` is known by name.
 */
import { noreplyLogin, type Person } from '../../core/people.ts';

interface Rule {
  /** Stored beside the commit. */
  why: string;
  holds(who: Mention): boolean;
}

/** A person as the rules see them, all in lower case. */
interface Mention {
  name: string;
  email: string;
  /** The part of the address before the @. */
  local: string;
  /** What may be a login: of a no-reply address, the local part, or a name without spaces. */
  logins: readonly string[];
}

/** Accounts that no pattern tells from people. */
const KNOWN_LOGINS = new Set([
  'opentelemetrybot',
  'github-actions',
  'dependabot',
  'dependabot-preview',
  'renovate',
  'greenkeeper',
  'snyk-bot',
  'imgbot',
  'pyup-bot',
  'mergify',
  'web-flow',
  'semantic-release-bot',
  'allcontributors',
  'weblate',
  'transifex-integration',
  'copybara-service',
  'gopherbot',
  'fossabot',
  'googlebot',
  'k8sbot',
  'prombot',
  'grafanabot',
  'kodiakhq',
  'travis-ci',
  'circleci',
]);
const KNOWN_ADDRESSES = new Set([
  'noreply@github.com',
  'bot@renovateapp.com',
  'support@dependabot.com',
  'action@github.com',
  'actions@github.com',
  'gobot@golang.org',
  'hosted@weblate.org',
  'noreply@weblate.org',
]);
const BOT_LOGIN =
  /(^|[-_.])(bot|robot|cibot|clabot|autobot)$|^(bot|robot)[-_.]|[-_.](bot|robot)[-_.]|^jenkins[-_]|[-_]jenkins$|[-_]gerrit$|^codecov[-_]/;
/** Bot is a surname, too: the address must not be a person's. */
const BOT_ADDRESS = /bot|no-?reply|automat|action|(^|[-_.+])ci([-_.+]|$)/;
const BOT_NAME = /(^|[\s([])(ro)?bot([\s)\]]|$)/;

/** Coding agents, by what they sign with. */
const AGENT_ADDRESSES = new Set([
  'noreply@anthropic.com',
  'cursoragent@cursor.com',
  'agent@cursor.com',
  'copilot@github.com',
  'codex@openai.com',
  'noreply@openai.com',
  'noreply@aider.chat',
  'aider@aider.chat',
  'openhands@all-hands.dev',
  'amp@ampcode.com',
  'noreply@windsurf.com',
]);
const AGENT_LOGINS =
  /^(copilot|copilot-swe-agent|devin-ai-integration|google-labs-jules|gemini-code-assist|claude|cursor|chatgpt-codex-connector|amazon-q-developer|coderabbitai|sweep-ai)(\[bot\])?$/;
/** How one begins an Assisted-by trailer, which people are named in as well. */
const AGENT_NAME =
  /^(github copilot|copilot|claude|cursor|codex|chatgpt|gpt|gemini|aider|devin|jules|windsurf|amp|openhands|cline)\b/;

const RULES: readonly Rule[] = [
  {
    why: 'ends in [bot]',
    holds: ({ name, logins }) => [name, ...logins].some((text) => /\[(ro)?bot\]$/.test(text)),
  },
  { why: 'coding agent', holds: isAgentMention },
  {
    why: 'known account',
    holds: ({ email, logins }) => KNOWN_ADDRESSES.has(email) || logins.some((login) => KNOWN_LOGINS.has(login)),
  },
  { why: 'login of a bot', holds: ({ logins }) => logins.some((login) => BOT_LOGIN.test(login)) },
  { why: 'name of a bot', holds: ({ name, local }) => BOT_NAME.test(name) && BOT_ADDRESS.test(local) },
];

/** The rule by which this is no human, '' where none holds. */
export function botRule(person: Person): string {
  const mention = mentionOf(person);
  return RULES.find((rule) => rule.holds(mention))?.why ?? '';
}

/** Whether this is a coding agent: an author or co-author that makes a commit agent-assisted. */
export function isAgent(person: Person): boolean {
  return isAgentMention(mentionOf(person));
}

/** Whether the value of an Assisted-by trailer names a coding agent. */
export function namesAgent(value: string): boolean {
  return AGENT_NAME.test(value.trim().toLowerCase());
}

function isAgentMention({ name, email, logins }: Mention): boolean {
  return (
    AGENT_ADDRESSES.has(email) ||
    name.endsWith('(aider)') ||
    logins.some((login, index) => AGENT_LOGINS.test(login) && (index === 0 || login.endsWith('[bot]')))
  );
}

/** The first login is that of a no-reply address, '' where it is none: there alone a bare name proves something. */
function mentionOf(person: Person): Mention {
  const name = person.name.trim().toLowerCase();
  const email = person.email.trim().toLowerCase();
  const local = email.split('@', 1)[0] ?? '';
  return { name, email, local, logins: [noreplyLogin(email) ?? '', local, ...(/\s/.test(name) ? [] : [name])] };
}
