/** Where the nodes of a graph stand: layers from left to right or top to bottom, by dagre. */
import { Graph, layout } from '@dagrejs/dagre';
import { layered } from './layers';

export interface Box {
  id: string;
  width: number;
  height: number;
}
export interface Edge {
  from: string;
  to: string;
  /** Which of the handles of `from` it begins at, counted across. */
  handle?: number;
}
export interface Point {
  x: number;
  y: number;
}
export type Direction = 'LR' | 'TB';

/** More boxes than these are laid out quickly. */
const QUICK = 250;

export interface Arranged {
  /** The upper left corner of each box. */
  places: Map<string, Point>;
  /** Points on the way of an edge around the boxes between its ends, by `routeKey`. */
  routes: Map<string, Point[]>;
}

export const routeKey = (from: string, to: string): string => `${from} ${to}`;

export function arrange(
  boxes: readonly Box[],
  edges: readonly Edge[],
  direction: Direction = 'LR',
): Arranged {
  // Dagre takes seconds on a thousand nodes; nobody sees there what it does better.
  if (boxes.length > QUICK) return { places: layered(boxes, edges, direction), routes: new Map() };
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 28, ranksep: 60, marginx: 0, marginy: 0 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { from, to } of edges) if (from !== to) graph.setEdge(from, to);
  layout(graph);
  const places = new Map(
    boxes.map(({ id, width, height }) => {
      const at = graph.node(id) as unknown as Point;
      return [id, { x: Math.round(at.x - width / 2), y: Math.round(at.y - height / 2) }];
    }),
  );
  const routes = new Map<string, Point[]>();
  for (const { from, to } of edges) {
    const { points = [] } = (graph.edge(from, to) ?? {}) as { points?: Point[] };
    // Three points are a line from box to box; more lead around what is between.
    if (points.length > 3) routes.set(routeKey(from, to), points.slice(1, -1));
  }
  const arranged = { places, routes };
  return turned(edges, arranged, direction) ? mirrored(boxes, arranged, direction) : arranged;
}

/** Whether what comes first across stands last more often than not: dagre minds crossings between
 * boxes only, so either way is the same to it. */
function turned(edges: readonly Edge[], { places }: Arranged, direction: Direction): boolean {
  const across = direction === 'LR' ? 'y' : 'x';
  const at = (id: string): number => places.get(id)?.[across] ?? 0;
  let wrong = 0;
  edges.forEach((one, i) => {
    for (const other of edges.slice(i + 1)) {
      if (one.from !== other.from) continue;
      const order = (one.handle ?? 0) - (other.handle ?? 0) || -1;
      wrong += Math.sign(order) === Math.sign(at(one.to) - at(other.to)) ? -1 : 1;
    }
  });
  return wrong > 0;
}

function mirrored(boxes: readonly Box[], arranged: Arranged, direction: Direction): Arranged {
  const across = direction === 'LR' ? 'y' : 'x';
  const size = direction === 'LR' ? 'height' : 'width';
  const ends = boxes.map((box) => (arranged.places.get(box.id)?.[across] ?? 0) + box[size]);
  const end = Math.max(...ends);
  const turn = (point: Point, wide = 0): Point => ({
    ...point,
    [across]: end - point[across] - wide,
  });
  const sizes = new Map(boxes.map((box) => [box.id, box[size]]));
  return {
    places: new Map([...arranged.places].map(([id, at]) => [id, turn(at, sizes.get(id))])),
    routes: new Map([...arranged.routes].map(([key, way]) => [key, way.map((at) => turn(at))])),
  };
}
