import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, exportBoard } from '../../kit/board.ts';
import type { Board } from '../../shared/model.ts';
import { deployMarks, SERVICE_TITLE } from '../deploy-marks.ts';
import {
  acked,
  backlog,
  disk,
  diskPerSpan,
  duplicateShare,
  freshnessNow,
  rejectedShare,
  slowLaneShare,
} from './now.ts';
import { duplicates, flow, freshness, oldestAge, queueDepth, refusals, rejects, slowLane } from './over-time.ts';
import { refusalsExplained, rejectsExplained, routeBudgets, senders } from './senders.ts';
import { columnBytes, diskDrops, tableBytes } from './storage.ts';

/** Pipeline: what came in, what was turned away and why, how far behind is the store, who sends what? */
export function pipeline(): Board {
  return exportBoard(
    board({
      uid: 'heliograph-pipeline',
      title: 'Pipeline',
      description:
        'What the OTLP doors took in, what they turned away and why, how far behind the store is, who sends what, and what it takes on disk.',
      tags: ['pipeline'],
      from: 'now-1h',
      refresh: '30s',
      annotations: [deployMarks(SERVICE_TITLE)],
    })
      .withPanel(acked())
      .withPanel(rejectedShare())
      .withPanel(duplicateShare())
      .withPanel(freshnessNow())
      .withPanel(backlog())
      .withPanel(slowLaneShare())
      .withPanel(disk())
      .withPanel(diskPerSpan())
      .withRow(new RowBuilder('What comes in'))
      .withPanel(flow())
      .withPanel(freshness())
      .withPanel(rejects())
      .withPanel(refusals())
      .withRow(new RowBuilder('Queue, retries, slow lane'))
      .withPanel(queueDepth())
      .withPanel(oldestAge())
      .withPanel(duplicates())
      .withPanel(slowLane())
      .withRow(new RowBuilder('Who sends what, and what is wrong with it'))
      .withPanel(senders())
      .withPanel(rejectsExplained())
      .withPanel(refusalsExplained())
      .withPanel(routeBudgets())
      .withRow(new RowBuilder('On disk now'))
      .withPanel(tableBytes())
      .withPanel(columnBytes())
      .withPanel(diskDrops()),
  );
}
