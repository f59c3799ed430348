import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard, queryVariable } from '../../kit/board.ts';
import type { Board } from '../../shared/model.ts';
import { deployMarks, VERSION_TITLE } from '../deploy-marks.ts';
import { TO_FLAME_GRAPH, TO_LATENCY } from '../links.ts';
import { goroutines, mostGoroutines, suspectCount, suspects, topStacks } from './goroutines.ts';
import { allocation, collectorShare, gcCycles, gcPauses, gcStopped, heap, lastCollection } from './memory.ts';
import { OF_SERVICE } from './scope.ts';
import { ownVariable, ownVariables, targets, targetsDown, targetsUp } from './targets.ts';

/** Go runtime and goroutines: do the processes answer, do they leak, does the garbage collector press them? */
export function goRuntime(): Board {
  return exportBoard(
    board({
      uid: 'heliograph-runtime',
      title: 'Go runtime and goroutines',
      description: 'Targets, goroutines and leak suspects, memory and garbage collection of one Go service.',
      tags: ['go', 'profiles'],
      from: 'now-1h',
      refresh: '30s',
      annotations: [deployMarks(VERSION_TITLE, [OF_SERVICE])],
      links: [TO_LATENCY, TO_FLAME_GRAPH],
    })
      .withVariable(serviceVariable())
      .withVariable(targetVariable())
      .withVariable(expvarVariable())
      .withPanel(targetsUp())
      .withPanel(targetsDown())
      .withPanel(mostGoroutines())
      .withPanel(suspectCount())
      .withPanel(lastCollection())
      .withPanel(collectorShare())
      .withRow(new RowBuilder('Goroutines'))
      .withPanel(goroutines())
      .withPanel(topStacks())
      .withPanel(suspects())
      .withRow(new RowBuilder('Memory and garbage collection'))
      .withPanel(heap())
      .withPanel(allocation())
      .withPanel(gcCycles())
      .withPanel(gcPauses())
      .withPanel(gcStopped())
      .withRow(new RowBuilder('Own variables'))
      .withPanel(ownVariable())
      .withPanel(ownVariables())
      .withRow(new RowBuilder('Targets'))
      .withPanel(targets()),
  );
}

const serviceVariable = () =>
  queryVariable({
    name: 'service',
    label: 'Service',
    description: 'Services whose targets were polled in the time range, whatever came of it.',
    query: { view: 'target_status', select: ['service'], groupBy: ['service'], orderBy: ['service'] },
    multi: false,
  });

const targetVariable = () =>
  queryVariable({
    name: 'target',
    label: 'Target',
    description: 'Targets of the service that were polled in the time range.',
    query: {
      view: 'target_status',
      select: ['target'],
      where: [OF_SERVICE],
      groupBy: ['target'],
      orderBy: ['target'],
    },
    multi: true,
  });

const expvarVariable = () =>
  queryVariable({
    name: 'expvar',
    label: 'Variable',
    description: 'Numeric variables that the targets publish at /debug/vars beside memstats.',
    query: {
      view: 'expvars',
      step: 'whole',
      select: ['name'],
      where: [OF_SERVICE],
      groupBy: ['name'],
      orderBy: ['name'],
    },
    multi: false,
  });
