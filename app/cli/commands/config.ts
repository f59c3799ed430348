import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { type ListItem, maskedList, shownList } from '../../config/lists.ts';
import { shown } from '../../config/rules.ts';
import { type Config, type Setting, SETTINGS_LIST } from '../../config/schema.ts';
import { type CommandSpec, hasFlag } from '../command.ts';
import { cellText, textTable } from '../table.ts';

export const configCommand: CommandSpec = {
  name: 'config',
  summary: 'Print every setting, its value and where it came from. Secrets are masked.',
  options: [{ flags: '--json', description: 'as JSON, durations in milliseconds' }],
  async run(call) {
    const loaded = loadConfig(call.configInput);
    call.io.out(hasFlag(call, 'json') ? asJson(loaded) : asTable(loaded));
    return 0;
  },
};

function asTable({ config, origins }: LoadedConfig): string {
  const rows = SETTINGS_LIST.map((setting) => {
    const { source = '', detail = '' } = origins[setting.key] ?? {};
    return [setting.key, cellText(visible(setting, config)), detail === '' ? source : `${source} ${detail}`];
  });
  return textTable(['setting', 'value', 'from'], rows);
}

function asJson({ config, origins }: LoadedConfig): string {
  const entries = SETTINGS_LIST.map((setting) => {
    const value = valueOf(setting, config);
    if (setting.schema.fields !== undefined)
      return [setting.key, { value: maskedList(setting.schema, value as ListItem[]), ...origins[setting.key] }];
    const masked = setting.schema.secret !== undefined && value !== undefined ? shown(setting, value) : value;
    return [setting.key, { value: masked ?? null, ...origins[setting.key] }];
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

function visible(setting: Setting, config: Config): string | null {
  const value = valueOf(setting, config);
  if (value === undefined) return null;
  if (setting.schema.fields !== undefined) return shownList(setting.schema, value as ListItem[]);
  return setting.schema.unit === 'duration' ? durationText(Number(value)) : shown(setting, value);
}

function valueOf({ key }: Setting, config: Config): unknown {
  return key.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config);
}

/** The largest unit that divides it: 1,209,600,000 ms -> 14d. */
function durationText(ms: number): string {
  const units: [string, number][] = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ];
  const unit = units.find(([, size]) => ms > 0 && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}
