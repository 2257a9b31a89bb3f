/** From the document's graph to what the canvas draws. */
import { MarkerType, Position, type Edge, type Node, type NodeHandle } from '@xyflow/svelte';
import { arrange, routeKey, type Arranged, type Point } from '../../lib/layout';
import { casesOf, record, type Graph, type Step } from '../document/model';
import { placeOf, type Problem } from '../document/problems';

export interface StepData extends Record<string, unknown> {
  step: Step;
  /** Cases of a branch, each with a handle of its own. */
  cases: string[];
  note: string;
  errors: number;
  warnings: number;
}
export type StepNode = Node<StepData, 'step'>;

export const WIDTH = 216;
export const HEIGHT = 60;
/** Height of the row of a branch's cases. */
export const CASES = 30;

export const heightOf = (cases: readonly string[]): number => HEIGHT + (cases.length ? CASES : 0);

const none: string[] = [];
const branches = (step: Step): string[] => (step.type === 'branch' ? casesOf(step) : none);

/** Where all nodes stand: where the layout puts them, until their author moves one. Then nothing
 * moves by itself any more, and what is new finds a place below what it needs. */
export function placesOf(graph: Graph, chosen: Readonly<Record<string, Point>>): Arranged {
  if (!graph.steps.some((step) => chosen[step.name])) {
    const boxes = graph.steps.map((step) => ({
      id: step.name,
      width: WIDTH,
      height: heightOf(branches(step)),
    }));
    return arrange(boxes, graph.links, 'TB');
  }
  const places = new Map<string, Point>();
  for (const { name } of graph.steps) if (chosen[name]) places.set(name, chosen[name]);
  for (const step of graph.steps)
    if (!places.has(step.name)) places.set(step.name, freePlace(step, places));
  return { places, routes: new Map() };
}

function freePlace(step: Step, places: ReadonlyMap<string, Point>): Point {
  const all = [...places.values()];
  const above = step.needs.flatMap((need) => places.get(need.split('.')[0] ?? '') ?? []);
  const lowest = above.sort((a, b) => b.y - a.y)[0];
  const at = lowest
    ? { x: lowest.x, y: lowest.y + HEIGHT + CASES + 50 }
    : { x: Math.min(...all.map(({ x }) => x)), y: Math.min(...all.map(({ y }) => y)) };
  while (all.some(({ x, y }) => Math.abs(x - at.x) < WIDTH && Math.abs(y - at.y) < HEIGHT + CASES))
    at.x += WIDTH + 28;
  return at;
}

export function flowNodes(
  graph: Graph,
  places: ReadonlyMap<string, Point>,
  problems: readonly Problem[],
  selection: readonly string[],
): StepNode[] {
  const counts = new Map<string, { error: number; warning: number }>();
  for (const problem of problems) {
    const { node } = placeOf(problem.path);
    const count = counts.get(node) ?? { error: 0, warning: 0 };
    count[problem.severity] += 1;
    counts.set(node, count);
  }
  const selected = new Set(selection);
  return graph.steps.map((step) => {
    const cases = branches(step);
    const count = counts.get(step.name);
    return {
      id: step.name,
      type: 'step',
      position: places.get(step.name) ?? { x: 0, y: 0 },
      selected: selected.has(step.name),
      width: WIDTH,
      height: heightOf(cases),
      measured: { width: WIDTH, height: heightOf(cases) },
      handles: handlesOf(step, cases),
      sourcePosition: Position.Bottom,
      targetPosition: Position.Top,
      ariaLabel: `${step.name}, ${step.type || 'no type'}${count?.error ? `, ${count.error} errors` : ''}`,
      data: {
        step,
        cases,
        note: noteOf(step),
        errors: count?.error ?? 0,
        warnings: count?.warning ?? 0,
      },
    };
  });
}

/** Width and height of a handle, in the middle of which the node's border runs. */
const HANDLE = 11;

/** Where a node's handles are. Told before anything is drawn, as the sizes are: what the canvas had
 * to measure it would draw first, all of a thousand nodes, seen or not. StepNode draws these. */
export function handlesOf(step: Step, cases: readonly string[]): NodeHandle[] {
  const height = heightOf(cases);
  const handle = (
    type: NodeHandle['type'],
    position: Position,
    x: number,
    y: number,
    id: string | null = null,
  ): NodeHandle => ({
    id,
    type,
    position,
    x: x - HANDLE / 2,
    y: y - HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  });
  const made = [handle('target', Position.Top, WIDTH / 2, 0)];
  // The first is where edges without a case begin.
  if (!step.compensates)
    made.push(
      cases.length
        ? handle('source', Position.Right, WIDTH, height / 2)
        : handle('source', Position.Bottom, WIDTH / 2, height),
    );
  cases.forEach((one, i) =>
    made.push(handle('source', Position.Bottom, ((i + 0.5) * WIDTH) / cases.length, height, one)),
  );
  return made;
}

/** What stands under a node's name. */
function noteOf(step: Step): string {
  const config = record(step.fields.with);
  if (step.type === 'map') return `map · ${String(record(config.do).type ?? '?')} for each`;
  const told = config.task ?? config.function ?? config.url ?? config.for ?? config.until;
  const about = typeof told === 'string' && told ? `${step.type} · ${told}` : step.type;
  return step.compensates ? `undoes ${step.compensates} · ${step.type}` : about;
}

export function flowEdges(graph: Graph, routes: Arranged['routes']): Edge[] {
  return graph.links.map((link) => ({
    id: `${link.kind} ${link.from}${link.case ? `.${link.case}` : ''} ${link.to}`,
    source: link.from,
    sourceHandle: link.case || null,
    target: link.to,
    class: link.kind,
    type: 'routed',
    deletable: link.kind === 'needs',
    focusable: link.kind === 'needs',
    ariaLabel: `${link.to} ${link.kind === 'needs' ? 'needs' : 'undoes'} ${link.from}${link.case ? `, case ${link.case}` : ''}`,
    markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
    data: { case: link.case, route: routes.get(routeKey(link.from, link.to)) },
  }));
}
