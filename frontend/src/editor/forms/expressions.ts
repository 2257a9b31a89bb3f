/** What may stand where the cursor is in an expression. */
import { ancestors, record, type Graph } from '../document/model';

export interface Option {
  text: string;
  /** What it is, in a word or two. */
  about: string;
}

export interface Surroundings {
  graph: Graph;
  /** The node whose expression it is; '' for the document's output. */
  node: string;
  /** Inside the body of a map. */
  insideMap: boolean;
  variables: readonly string[];
}

export interface Completion {
  /** Where in the text the word begins that an option replaces. */
  from: number;
  options: Option[];
}

const STATES = ['succeeded', 'failed', 'skipped', 'upstream_failed', 'cancelled'];
const FUNCTIONS = [
  'has()',
  'default()',
  'size()',
  'string()',
  'int()',
  'double()',
  'timestamp()',
  'duration()',
];

/** Options for the word before `cursor`; null where no expression is. */
export function complete(
  text: string,
  cursor: number,
  bare: boolean,
  around: Surroundings,
): Completion | null {
  const head = text.slice(0, cursor);
  const open = head.lastIndexOf('{{');
  const inside = open >= 0 && head.indexOf('}}', open) < 0;
  if (!inside && !bare) return null;
  const expression = inside ? head.slice(open + 2) : head;
  const quote = /nodes\.\w+\.state\s*[!=]=\s*'(\w*)$/.exec(expression);
  if (quote)
    return chosen(
      cursor,
      quote[1] ?? '',
      STATES.map((s) => ({ text: s, about: 'state' })),
    );
  const word = /[A-Za-z_][\w.]*\.?$/.exec(expression)?.[0] ?? '';
  const parts = word.split('.');
  const last = parts.at(-1) ?? '';
  return chosen(cursor, last, under(parts.slice(0, -1), around));
}

function chosen(cursor: number, typed: string, options: Option[]): Completion | null {
  const wanted = typed.toLowerCase();
  const fit = options.filter(
    (one) => one.text.toLowerCase().startsWith(wanted) && one.text !== typed,
  );
  return fit.length ? { from: cursor - typed.length, options: fit } : null;
}

function under(path: string[], around: Surroundings): Option[] {
  const [first, second] = path;
  const params = record(record(around.graph.data.params).properties);
  const option = (about: string) => (text: string) => ({ text, about });
  if (!path.length) return roots(around);
  if (path.length === 1) {
    if (first === 'params')
      return Object.entries(params).map(([text, one]) => ({
        text,
        about: String(record(one).type ?? 'param'),
      }));
    if (first === 'vars') return around.variables.map(option('variable'));
    if (first === 'run')
      return ['id', 'workflow', 'version', 'started_at'].map(option('of the run'));
    if (first === 'nodes') return nodes(around);
  }
  if (path.length === 2 && first === 'nodes' && second)
    return [
      { text: 'output', about: 'what it gave' },
      { text: 'state', about: 'how it ended' },
      { text: 'error', about: 'why it failed' },
    ];
  if (path.length === 3 && path[2] === 'error') return ['message', 'code'].map(option('text'));
  if (first === 'params') {
    let schema: Record<string, unknown> = record(around.graph.data.params);
    for (const name of path.slice(1)) schema = record(record(schema.properties)[name]);
    return Object.keys(record(schema.properties)).map(option('member'));
  }
  return [];
}

function nodes({ graph, node }: Surroundings): Option[] {
  const names = node ? ancestors(graph, node) : graph.steps.map((step) => step.name);
  const types = new Map(graph.steps.map((step) => [step.name, step.type]));
  return names.map((text) => ({ text, about: types.get(text) ?? '' }));
}

function roots({ insideMap }: Surroundings): Option[] {
  const map: Option[] = insideMap
    ? [
        { text: 'item', about: 'of the map' },
        { text: 'index', about: 'from 0' },
      ]
    : [];
  return [
    ...map,
    { text: 'nodes', about: 'earlier nodes' },
    { text: 'params', about: 'of the run' },
    { text: 'vars', about: 'of the workspace' },
    { text: 'run', about: 'the run itself' },
    ...FUNCTIONS.map((text) => ({ text, about: 'function' })),
  ];
}
