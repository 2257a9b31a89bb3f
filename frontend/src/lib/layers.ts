/** A quick layered layout for large graphs: longest paths, then a few sweeps towards neighbours. */
import type { Box, Direction, Edge, Point } from './layout';

const GAP = 28;
const STEP = 60;
const SWEEPS = 6;

export function layered(
  boxes: readonly Box[],
  edges: readonly Edge[],
  direction: Direction,
): Map<string, Point> {
  const above = neighbours(edges, 'to', 'from');
  const rank = ranks(boxes, above);
  const layers: Box[][] = [];
  for (const box of boxes) (layers[rank.get(box.id) ?? 0] ??= []).push(box);
  order(layers, above, neighbours(edges, 'from', 'to'));
  return places(layers, direction);
}

function neighbours(edges: readonly Edge[], of: 'from' | 'to', other: 'from' | 'to') {
  const found = new Map<string, string[]>();
  for (const edge of edges) {
    const list = found.get(edge[of]);
    if (list) list.push(edge[other]);
    else found.set(edge[of], [edge[other]]);
  }
  return found;
}

/** How many boxes lie on the longest way to each; a circle is cut where it is met. */
function ranks(boxes: readonly Box[], above: Map<string, string[]>): Map<string, number> {
  const rank = new Map<string, number>();
  const open = new Set<string>();
  for (const { id } of boxes) {
    const stack = [id];
    for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
      const waiting = (above.get(at) ?? []).filter((one) => !rank.has(one) && !open.has(one));
      open.add(at);
      if (waiting.length && !rank.has(at)) stack.push(...waiting);
      else {
        const over = (above.get(at) ?? []).map((one) => rank.get(one) ?? -1);
        if (!rank.has(at)) rank.set(at, over.reduce((a, b) => Math.max(a, b), -1) + 1);
        open.delete(at);
        stack.pop();
      }
    }
  }
  return rank;
}

/** Sort each layer by the middle of its neighbours, down and up in turn. */
function order(layers: Box[][], above: Map<string, string[]>, below: Map<string, string[]>): void {
  const place = new Map<string, number>();
  const note = (layer: Box[]) =>
    layer.forEach(({ id }, i) => place.set(id, (i + 0.5) / layer.length));
  layers.forEach(note);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const middle = new Map(
        layer.map(({ id }) => {
          const near = ((down ? above : below).get(id) ?? []).map((one) => place.get(one) ?? 0);
          const sum = near.reduce((a, b) => a + b, 0);
          return [id, near.length ? sum / near.length : (place.get(id) ?? 0)];
        }),
      );
      layer.sort((a, b) => (middle.get(a.id) ?? 0) - (middle.get(b.id) ?? 0));
      note(layer);
    }
  }
}

function places(layers: Box[][], direction: Direction): Map<string, Point> {
  const across = direction === 'LR' ? 'height' : 'width';
  const along = direction === 'LR' ? 'width' : 'height';
  const lengths = layers.map((layer) => layer.reduce((sum, box) => sum + box[across] + GAP, -GAP));
  const longest = Math.max(0, ...lengths);
  const found = new Map<string, Point>();
  let depth = 0;
  layers.forEach((layer, i) => {
    let at = (longest - (lengths[i] ?? 0)) / 2;
    for (const box of layer) {
      found.set(
        box.id,
        direction === 'LR' ? { x: depth, y: Math.round(at) } : { x: Math.round(at), y: depth },
      );
      at += box[across] + GAP;
    }
    depth += Math.max(...layer.map((box) => box[along])) + STEP;
  });
  return found;
}
