/** From the document's graph to what the canvas draws. */
import {
  MarkerType,
  Position,
  type Edge,
  type Node,
  type NodeHandle,
  type Viewport,
} from '@xyflow/svelte';
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

/** How wide a case's part of the row is: its name is read, up to some length. */
const caseWidth = (one: string): number => Math.min(156, 22 + 7 * one.length);

/** The last part of the row: an edge from there is taken whatever the case. */
export const ANY = 'any case';

/** A branch is as wide as the names of its cases. */
export const widthOf = (cases: readonly string[]): number =>
  cases.length
    ? Math.max(WIDTH, (cases.length + 1) * Math.max(...[...cases, ANY].map(caseWidth)))
    : WIDTH;

/** Where the handle of a part of the row is, from the left, as a share of the width. */
export const shareOf = (part: number, cases: readonly string[]): number =>
  (part + 0.5) / (cases.length + 1);

export const heightOf = (cases: readonly string[]): number => HEIGHT + (cases.length ? CASES : 0);

const none: string[] = [];
const branches = (step: Step): string[] => (step.type === 'branch' ? casesOf(step) : none);

let laidOut: { shape: string; arranged: Arranged } | null = null;

/** Where the layout puts all nodes; asked again for the same shape it tells what it told. */
function arrangedOf(graph: Graph): Arranged {
  const shape = shapeOf(graph);
  if (laidOut?.shape === shape) return laidOut.arranged;
  const boxes = graph.steps.map((step) => ({
    id: step.name,
    width: widthOf(branches(step)),
    height: heightOf(branches(step)),
  }));
  const cases = new Map(graph.steps.map((step) => [step.name, branches(step)]));
  const edges = graph.links.map((one) => ({
    ...one,
    handle: one.case ? cases.get(one.from)?.indexOf(one.case) : cases.get(one.from)?.length,
  }));
  const arranged = arrange(boxes, edges, 'TB');
  laidOut = { shape, arranged };
  return arranged;
}

/** Where all nodes stand: where the layout puts them, until their author moves one. Then nothing
 * moves by itself any more, and what is new finds a place below what it needs. */
export function placesOf(graph: Graph, chosen: Readonly<Record<string, Point>>): Arranged {
  if (!graph.steps.some((step) => chosen[step.name])) return arrangedOf(graph);
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

/** What decides where nodes stand by themselves, and which edges there are: equal for two graphs
 * that differ in something else. */
export function shapeOf(graph: Graph): string {
  const steps = graph.steps.map((step) => `${step.name} ${branches(step).join('/')}`);
  return [...steps, ...graph.links.map((one) => Object.values(one).join(' '))].join('\n');
}

/** `before` are the nodes as they were: who has not changed is the same node again. */
export function flowNodes(
  graph: Graph,
  places: ReadonlyMap<string, Point>,
  problems: readonly Problem[],
  selection: readonly string[],
  before: readonly StepNode[] = [],
): StepNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  const counts = new Map<string, { error: number; warning: number }>();
  for (const problem of problems) {
    const { node } = placeOf(problem.path);
    const count = counts.get(node) ?? { error: 0, warning: 0 };
    count[problem.severity] += 1;
    counts.set(node, count);
  }
  const selected = new Set(selection);
  return graph.steps.map((step) => {
    const { error: errors = 0, warning: warnings = 0 } = counts.get(step.name) ?? {};
    const old = known.get(step.name);
    // One that is in somebody's hand stays there.
    const position = (old?.dragging && old.position) || places.get(step.name) || { x: 0, y: 0 };
    if (
      old?.data.step === step &&
      old.data.errors === errors &&
      old.data.warnings === warnings &&
      old.position.x === position.x &&
      old.position.y === position.y &&
      (old.selected ?? false) === selected.has(step.name)
    )
      return old;
    const cases = branches(step);
    return {
      id: step.name,
      type: 'step',
      position,
      selected: selected.has(step.name),
      width: widthOf(cases),
      height: heightOf(cases),
      measured: { width: widthOf(cases), height: heightOf(cases) },
      handles: handlesOf(step, cases),
      sourcePosition: Position.Bottom,
      targetPosition: Position.Top,
      ariaLabel: `${step.name}, ${step.type || 'no type'}${errors ? `, ${errors} errors` : ''}`,
      data: {
        step,
        cases,
        note: noteOf(step),
        errors,
        warnings,
      },
    };
  });
}

/** Width and height of a handle, in the middle of which the node's border runs. */
const HANDLE = 11;

/** Where a node's handles are. Told before anything is drawn, as the sizes are: what the canvas had
 * to measure it would draw first, all of a thousand nodes, seen or not. StepNode draws these. */
export function handlesOf(step: Step, cases: readonly string[]): NodeHandle[] {
  const [width, height] = [widthOf(cases), heightOf(cases)];
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
  const made = [handle('target', Position.Top, width / 2, 0)];
  // The first is where edges without a case begin.
  const below = (share: number, id: string | null): NodeHandle =>
    handle('source', Position.Bottom, share * width, height, id);
  if (!step.compensates) made.push(below(cases.length ? shareOf(cases.length, cases) : 0.5, null));
  cases.forEach((one, i) => made.push(below(shareOf(i, cases), one)));
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

/** What is seen first of a graph that is too large to be read as a whole: where it begins. */
export function beginningOf(nodes: readonly StepNode[], width: number, zoom: number): Viewport {
  const top = Math.min(...nodes.map(({ position }) => position.y));
  const first = nodes
    .filter(({ position }) => position.y === top)
    .map(({ position }) => position.x);
  const x = (Math.min(...first) + Math.max(...first) + WIDTH) / 2;
  return { x: width / 2 - x * zoom, y: HEIGHT - top * zoom, zoom };
}

export function flowEdges(graph: Graph, routes: Arranged['routes']): Edge[] {
  const cases = new Map(graph.steps.map((step) => [step.name, branches(step)]));
  return graph.links.map((link) => ({
    id: `${link.kind} ${link.from}${link.case ? `.${link.case}` : ''} ${link.to}`,
    source: link.from,
    // A case that is not there, or not any more, still shows what the node waits for.
    sourceHandle: cases.get(link.from)?.includes(link.case) ? link.case : null,
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
