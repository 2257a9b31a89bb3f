/** The graph that a document describes, as far as it can be read. */
import { freeName } from '../../lib/names';
import { addNodes, printedNodes } from './edit';
import { dataOf } from './entries';
import { glanced } from './splice';

export interface Step {
  name: string;
  type: string;
  title: string;
  needs: string[];
  compensates: string;
  fields: Record<string, unknown>;
}

/** From node to node; `case` is the case of a branch. */
export interface Link {
  from: string;
  to: string;
  case: string;
  kind: 'needs' | 'undoes';
}

export interface Graph {
  steps: Step[];
  links: Link[];
  /** The document as plain data. */
  data: Record<string, unknown>;
}

/** A text that cannot be read, and where. */
export interface Fault {
  message: string;
  line: number;
  column: number;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Read a text: its graph, or why and where it cannot be read. */
export function read(source: string): { graph: Graph } | { fault: Fault } {
  const known = dataOf(source);
  if (known) return { graph: graphOf(known) };
  const document = glanced(source);
  const [error] = document.errors;
  if (error) {
    const at = error.linePos?.[0];
    const message = error.message.split(' at line ')[0] ?? error.message;
    return { fault: { message, line: at?.line ?? 1, column: at?.col ?? 1 } };
  }
  let data: unknown;
  try {
    data = document.toJS();
  } catch (reason) {
    return { fault: { message: String(reason), line: 1, column: 1 } };
  }
  if (!isRecord(data))
    return { fault: { message: 'A document is a mapping: workflow: …', line: 1, column: 1 } };
  return { graph: graphOf(data) };
}

/** Steps by what they were made from: a node that was not changed is the same step again. */
const made = new WeakMap<object, Step>();

function stepOf(name: string, value: unknown): Step {
  const fields = record(value);
  const before = made.get(fields);
  if (before?.name === name) return before;
  const needs = Array.isArray(fields.needs) ? fields.needs.map(String) : [];
  const step = {
    name,
    type: text(fields.type),
    title: text(fields.title),
    needs,
    compensates: text(fields.compensates),
    fields,
  };
  made.set(fields, step);
  return step;
}

export function graphOf(data: Record<string, unknown>): Graph {
  const steps = Object.entries(record(data.nodes)).map(([name, value]) => stepOf(name, value));
  const known = new Set(steps.map((step) => step.name));
  const links: Link[] = [];
  for (const step of steps) {
    for (const need of new Set(step.needs)) {
      const [from = '', ...rest] = need.split('.');
      if (known.has(from)) links.push({ from, to: step.name, case: rest.join('.'), kind: 'needs' });
    }
    if (known.has(step.compensates))
      links.push({ from: step.compensates, to: step.name, case: '', kind: 'undoes' });
  }
  return { steps, links, data };
}

/** All nodes from which one can get to `name`. */
export function ancestors(graph: Graph, name: string): string[] {
  const needs = new Map(graph.steps.map((step) => [step.name, step]));
  const found = new Set<string>();
  const start = needs.get(name);
  const stack = start ? [...start.needs, ...(start.compensates ? [start.compensates] : [])] : [];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const above = next.split('.')[0] ?? '';
    if (found.has(above) || !needs.has(above)) continue;
    found.add(above);
    stack.push(...(needs.get(above)?.needs ?? []));
  }
  return graph.steps.map((step) => step.name).filter((one) => found.has(one));
}

/** `name` and all nodes to which one can get from it: what it cannot come after. */
export function descendants(graph: Graph, name: string): Set<string> {
  const after = new Map<string, string[]>();
  for (const { from, to } of graph.links) after.set(from, [...(after.get(from) ?? []), to]);
  const found = new Set([name]);
  for (const one of found) for (const next of after.get(one) ?? []) found.add(next);
  return found;
}

/** Whether a need of `from` at `to` would close a circle. */
export function closesCircle(graph: Graph, from: string, to: string): boolean {
  return from === to || ancestors(graph, from).includes(to);
}

/** The cases of a branch, its default included. */
export function casesOf(step: Step): string[] {
  const config = record(step.fields.with);
  const listed = Array.isArray(config.cases)
    ? config.cases.map((one) => text(record(one).case))
    : Object.keys(record(config.cases));
  const last = text(config.default);
  return [...new Set([...listed, ...(last ? [last] : [])])].filter(Boolean);
}

/** Nodes as text for the clipboard: a piece of a document. */
export function copied(source: string, names: readonly string[]): string {
  const result = read(source);
  if (!('graph' in result) || !names.length) return '';
  const wanted = new Set(names);
  const steps = result.graph.steps.filter((step) => wanted.has(step.name));
  return printedNodes(Object.fromEntries(steps.map((step) => [step.name, step.fields])));
}

/** Put copied nodes in: under free names, their needs and expressions following the new names. */
export function pasted(source: string, piece: string): { source: string; names: string[] } | null {
  const result = read(piece);
  const target = read(source);
  if (!('graph' in result) || !('graph' in target) || !result.graph.steps.length) return null;
  const taken = new Set(target.graph.steps.map((step) => step.name));
  const here = new Set(taken);
  const names = new Map<string, string>();
  for (const { name } of result.graph.steps) {
    names.set(name, freeName(name, taken));
    taken.add(names.get(name) ?? name);
  }
  const nodes: Record<string, unknown> = {};
  for (const step of result.graph.steps) {
    const fields = renamed(step.fields, names) as Record<string, unknown>;
    const needs = step.needs.flatMap((need) => {
      const [node = '', ...rest] = need.split('.');
      if (!names.has(node) && !here.has(node)) return [];
      return [[names.get(node) ?? node, ...rest].join('.')];
    });
    if (needs.length) fields.needs = needs;
    else delete fields.needs;
    if (names.has(step.compensates)) fields.compensates = names.get(step.compensates);
    nodes[names.get(step.name) ?? step.name] = fields;
  }
  return { source: addNodes(source, nodes), names: [...names.values()] };
}

function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string')
    return value.replace(/\bnodes\.([A-Za-z_]\w*)/g, (all, name: string) =>
      names.has(name) ? `nodes.${names.get(name)}` : all,
    );
  if (Array.isArray(value)) return value.map((one) => renamed(one, names));
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, renamed(v, names)]));
  return value;
}
