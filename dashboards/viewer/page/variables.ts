/** The variables of a board: their controls, their options, and which values hold. */
import { ALL_VALUE, type Board } from '../../shared/model.ts';
import { api, type Scope } from './api.ts';
import { createVariable, type VariableControl } from './variable.ts';

export type Values = ReadonlyMap<string, readonly string[]>;

export interface Variables {
  controls: readonly VariableControl[];
  /** Fetches the options in board order, each with the values before it, and returns the values that hold. */
  resolve(scope: Scope, signal: AbortSignal): Promise<Values>;
}

/**
 * Builds the controls of a board. `choose` gets a variable's new values, and none for the variables that hang on it: a route of
 * one service means nothing to another.
 */
export function createVariables(board: Board, choose: (changed: Values) => void): Variables {
  const shown = board.templating.list.filter((variable) => variable.type === 'query' && variable.hide !== 2);
  const controls = shown.map((variable) => {
    const dependents = shown.filter(
      ({ query }) => typeof query !== 'string' && query.rawSql.includes(`\${${variable.name}:`),
    );
    return createVariable(variable, (values) =>
      choose(
        new Map<string, readonly string[]>([
          [variable.name, values],
          ...dependents.map(({ name }) => [name, []] as const),
        ]),
      ),
    );
  });

  const resolve = async (scope: Scope, signal: AbortSignal): Promise<Values> => {
    // Values without a control are carried along: they belong to the boards this one links to.
    const values = new Map(scope.values);
    for (const control of controls) {
      const { name } = control.variable;
      const options = await api.variable(board.uid, name, { ...scope, values }, signal);
      const chosen = holding(control, values.get(name), options);
      if (chosen.length > 0) values.set(name, chosen);
      else values.delete(name);
      control.set(chosen, options);
    }
    return values;
  };
  return { controls, resolve };
}

// A value from the URL stands even when the range has no data for it: the panels then say so.
function holding(
  { variable }: VariableControl,
  asked: readonly string[] | undefined,
  options: readonly string[],
): readonly string[] {
  const named = (asked ?? []).filter((value) => value !== '').map((value) => (value === 'All' ? ALL_VALUE : value));
  if (variable.includeAll === true && (named.length === 0 || named.includes(ALL_VALUE))) return [ALL_VALUE];
  if (named.length > 0) return variable.multi === true ? named : named.slice(0, 1);
  return options.slice(0, 1);
}
