import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard, queryVariable } from '../kit/board.ts';
import { flamegraph, stat, table } from '../kit/panels.ts';
import { type ViewQuery, viewCall } from '../kit/query.ts';
import type { Board } from '../shared/model.ts';
import { TO_LATENCY, TO_RUNTIME } from './links.ts';

const OF_SERVICE = 'service = ${service:singlequote}';
const OF_PROFILE = 'profile = ${profile:singlequote}';
const OF_TYPE = 'sample_type = ${sample_type:singlequote}';
/** The view takes '' for all targets of the service, which is what All stands for here. */
const OF_TARGET = "(${target:singlequote} = '' OR target = ${target:singlequote})";
const CHOSEN = [OF_SERVICE, OF_TARGET, OF_PROFILE, OF_TYPE];
const TREE_ARGS = {
  service: '${service:singlequote}',
  target: '${target:singlequote}',
  profile: '${profile:singlequote}',
  sample_type: '${sample_type:singlequote}',
};

const NO_PROFILE =
  'No profile of this choice in this range. CPU profiles are read from each target every ten minutes by default; choose another profile, or widen the range.';
const NO_PROFILE_SHORT = 'No profile of this choice in this range. Widen the range, or choose another.';

/** Flame graph: in which functions does a service spend what a profile counts? */
export function flameGraph(): Board {
  return exportBoard(
    board({
      uid: 'heliograph-flamegraph',
      title: 'Flame graph',
      description: 'All profiles of a service in the time range, merged to one tree of calls.',
      tags: ['go', 'profiles'],
      from: 'now-1h',
      refresh: '1m',
      annotations: [],
      links: [TO_RUNTIME, TO_LATENCY],
    })
      .withVariable(variable('service', 'Service', 'Services of which profiles were read.', [], ['service']))
      .withVariable(targetVariable())
      .withVariable(
        variable(
          'profile',
          'Profile',
          'Profiles of the service; CPU first.',
          [OF_SERVICE],
          ["profile != 'cpu'", 'profile'],
        ),
      )
      .withVariable(
        variable(
          'sample_type',
          'Counts',
          'What the profile counts: time or bytes first, then numbers of samples.',
          [OF_SERVICE, OF_PROFILE],
          ["any(unit) = 'count'", 'sample_type'],
        ),
      )
      .withPanel(hottest())
      .withPanel(cpuTime())
      .withPanel(merged())
      .withPanel(profiledTargets())
      .withPanel(graph())
      .withRow(new RowBuilder('What there is'))
      .withPanel(types()),
  );
}

function variable(
  name: 'service' | 'profile' | 'sample_type',
  label: string,
  description: string,
  where: readonly string[],
  orderBy: readonly string[],
) {
  const query: ViewQuery = { view: 'profile_types', select: [name], where, groupBy: [name], orderBy };
  return queryVariable({ name, label, description, query, multi: false });
}

const targetVariable = () =>
  queryVariable({
    name: 'target',
    label: 'Target',
    description: 'One target of the service, or all of them merged.',
    query: {
      view: 'profile_types',
      select: ['target'],
      where: [OF_SERVICE],
      groupBy: ['target'],
      orderBy: ['target'],
    },
    multi: false,
    all: "''",
  });

const HEADLINE = { width: 4, height: 3 };

const hottest = () =>
  stat({
    width: 12,
    height: 3,
    id: 1,
    title: 'Most in one function itself',
    unit: 'percentunit',
    description:
      'The function with the largest self value, and its share of everything in the profile. Bad: nothing by itself; it is where a change pays first.',
    noValue: NO_PROFILE_SHORT,
    named: true,
    query: {
      view: 'flame_graph',
      args: TREE_ARGS,
      select: [
        'label',
        `sum(self) / (SELECT max(value) FROM ${viewCall('flame_graph', undefined, TREE_ARGS)}) AS share`,
      ],
      groupBy: ['label'],
      having: 'sum(self) > 0',
      orderBy: ['share DESC', 'label'],
      limit: 1,
    },
  });

const cpuTime = () =>
  stat({
    ...HEADLINE,
    id: 2,
    title: 'CPU time sampled',
    unit: 'ns',
    description:
      'CPU time that the merged CPU profiles of the chosen targets saw, whatever is chosen under Profile. Ten seconds of a profile on one busy core give ten seconds. Bad: far more than usual at this load.',
    noValue: 'No CPU profile in this range. It takes up to ten minutes until the first is read.',
    query: {
      view: 'profile_types',
      select: ['sum(total) AS cpu_ns'],
      where: [OF_SERVICE, OF_TARGET, "profile = 'cpu'", "sample_type = 'cpu'"],
      having: 'count() > 0',
    },
  });

const merged = () =>
  stat({
    ...HEADLINE,
    id: 3,
    title: 'Profiles merged',
    unit: 'locale',
    description:
      'Profiles of this choice in the range. Few profiles make thin frames a matter of chance: below some thousand samples, trust only the wide ones.',
    noValue: NO_PROFILE_SHORT,
    query: { view: 'profile_types', select: ['sum(profiles) AS merged'], where: CHOSEN, having: 'count() > 0' },
  });

const profiledTargets = () =>
  stat({
    ...HEADLINE,
    id: 4,
    title: 'Targets merged',
    unit: 'locale',
    description:
      'Targets that these profiles come from. Bad: fewer than the service has; the board Go runtime and goroutines says which do not answer.',
    noValue: NO_PROFILE_SHORT,
    query: { view: 'profile_types', select: ['uniqExact(target) AS targets'], where: CHOSEN, having: 'count() > 0' },
  });

const graph = () =>
  flamegraph({
    width: 24,
    height: 20,
    id: 5,
    title: 'Where it goes',
    unit: 'short',
    description:
      'Each box is a function beneath its caller, as wide as what was spent in it and all it called. Wide boxes without boxes beneath are where it is spent. Colours are packages. Click or Enter looks into a function. Calls below a thousandth of the whole are left out; their callers still hold them. Levels (goroutines, memory in use) are means over the profiles, amounts are sums.',
    noValue: NO_PROFILE,
    query: {
      view: 'flame_graph',
      args: TREE_ARGS,
      select: [
        'level',
        'value',
        'self',
        'label',
        `(SELECT any(unit) FROM ${viewCall('profile_types')} WHERE ${CHOSEN.join(' AND ')}) AS unit`,
      ],
    },
  });

const types = () =>
  table({
    width: 24,
    height: 9,
    id: 6,
    title: 'Profiles there are',
    unit: 'none',
    description:
      'Every kind of profile of the service in this range, by target. A profile leads to its flame graph. Bad: a target with fewer profiles than its siblings was not always readable.',
    noValue:
      'No profile of this service in this range. Name its targets in heliograph.yaml and import net/http/pprof in the service.',
    query: {
      view: 'profile_types',
      select: [
        'profile',
        'sample_type',
        'target',
        'profiles',
        "if(unit = 'nanoseconds', total, NULL) AS total_ns",
        "if(unit = 'bytes', total, NULL) AS total_bytes",
        "if(unit NOT IN ('nanoseconds', 'bytes'), total, NULL) AS total_count",
      ],
      where: [OF_SERVICE],
      orderBy: ['profile', 'sample_type', 'target'],
      limit: 500,
    },
    columns: {
      profile: {
        title: 'Profile',
        link: {
          title: 'Flame graph of ${__data.fields.profile} ${__data.fields.sample_type}, ${__data.fields.target}',
          url: '/d/heliograph-flamegraph?${__url_time_range}&${service:queryparam}&var-target=${__data.fields.target:percentencode}&var-profile=${__data.fields.profile:percentencode}&var-sample_type=${__data.fields.sample_type:percentencode}',
        },
      },
      sample_type: { title: 'Counts' },
      target: { title: 'Target' },
      profiles: { title: 'Profiles', unit: 'locale' },
      total_ns: { title: 'Time', unit: 'ns', noValue: '–' },
      total_bytes: { title: 'Bytes', unit: 'bytes', noValue: '–' },
      total_count: { title: 'Number', unit: 'short', noValue: '–' },
    },
  });
