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
  return { places, routes };
}
