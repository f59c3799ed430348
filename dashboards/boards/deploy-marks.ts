/** Deploys as upright lines on every chart over time. */
import type { AnnotationSpec } from '../kit/board.ts';

/** Deploys that hold `where`; `title` is what stands beside the line. */
export function deployMarks(title: string, where: readonly string[] = []): AnnotationSpec {
  return {
    name: 'Deploys',
    color: 'blue',
    query: {
      view: 'deploys',
      select: [
        'time',
        'text',
        `${title} AS title`,
        "arrayFilter(tag -> tag != '', [service, environment, status]) AS tags",
      ],
      where,
      orderBy: ['time DESC'],
      limit: 100,
    },
  };
}

/** The version, or the commit where none was given. */
export const VERSION_TITLE = "if(version = '', left(sha, 7), version)";
/** The same after the service's name, for boards of several services. */
export const SERVICE_TITLE = `concat(service, ' ', ${VERSION_TITLE})`;
