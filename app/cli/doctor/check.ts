/** What `doctor` finds: a name, how it stands, what was seen and what to do. */
export interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  finding: string;
  /** What to do about it; '' where nothing is to be done. */
  mend: string;
}

export function ok(name: string, finding: string): Check {
  return { name, state: 'ok', finding, mend: '' };
}

export function warn(name: string, finding: string, mend: string): Check {
  return { name, state: 'warn', finding, mend };
}

export function fail(name: string, finding: string, mend: string): Check {
  return { name, state: 'fail', finding, mend };
}
