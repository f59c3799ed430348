/** Light, dark, or what the system says. Kept in a cookie, so that the server's first bytes already carry it. */

export type Theme = 'light' | 'dark';

const YEAR_SECONDS = 31_536_000;

/** What is shown now. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Switches to the other one and remembers it. */
export function toggleTheme(): Theme {
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = next;
  document.cookie = `heliograph_theme=${next}; Path=/; Max-Age=${YEAR_SECONDS}; SameSite=Lax`;
  return next;
}
