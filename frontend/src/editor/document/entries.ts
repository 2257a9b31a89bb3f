/** The text as entries of nodes: a change of one node reads, changes and prints its lines alone.
 *
 * Of a thousand nodes 999 need not be read again for each letter that is typed into the form of one.
 */
import { isMap, isScalar, visit, type Document, type Scalar } from 'yaml';
import { glanced, parsed, regionAt, type Path, type Region } from './splice';

/** What a text is known to say: its data, and on which lines each node stands. */
interface Known {
  source: string;
  data: Record<string, unknown>;
  regions: Map<string, Region>;
}

let known: Known | null = null;

const HEAD = 'nodes:\n';

/** The data of a text, if a change of one node led to it. */
export const dataOf = (source: string): Record<string, unknown> | null =>
  known?.source === source ? known.data : null;

/** Change something within one node by `change`, which is given its lines alone, as a document.
 * Null where that cannot be told from the whole: the whole is changed then. */
export function withinEntry(
  source: string,
  path: Path,
  change: (piece: string) => string,
): string | null {
  const [top, name] = path;
  if (top !== 'nodes' || typeof name !== 'string' || path.length < 3) return null;
  const { data, regions } = knownOf(source) ?? {};
  const region = regions?.get(name);
  if (!data || !regions || !region?.column) return null;
  const nodes = data.nodes as Record<string, unknown>;
  const piece = HEAD + source.slice(region.start, region.end);
  if (!alone(piece, name, nodes[name])) return null;
  const changed = change(piece);
  const after = entryOf(changed, name, region.column);
  if (!after) return null;
  const text = changed.slice(HEAD.length);
  const made = source.slice(0, region.start) + text + source.slice(region.end);
  const longer = text.length - (region.end - region.start);
  const moved = new Map<string, Region>();
  for (const [one, at] of regions)
    moved.set(
      one,
      at.start > region.start
        ? { ...at, start: at.start + longer, end: at.end + longer }
        : one === name
          ? { ...at, end: at.end + longer }
          : at,
    );
  known = {
    source: made,
    data: { ...data, nodes: { ...nodes, [name]: after.value } },
    regions: moved,
  };
  return made;
}

/** What a text says, by reading the whole of it if nobody has; null if it is no block of nodes. */
function knownOf(source: string): Known | null {
  if (known?.source === source) return known;
  const document = glanced(source);
  const nodes = document.errors.length ? null : document.get('nodes', true);
  // An alias reads what stands elsewhere.
  if (!isMap(nodes) || nodes.flow || hasAnchors(document)) return null;
  const regions = new Map<string, Region>();
  for (const { key } of nodes.items) {
    const region = isScalar(key) && key.range ? regionAt(source, key.range[0]) : null;
    if (region) regions.set(String((key as Scalar).value), region);
  }
  known = { source, data: document.toJS() as Record<string, unknown>, regions };
  return known;
}

function hasAnchors(document: Document): boolean {
  let found = false;
  visit(document, {
    Alias: () => ((found = true), visit.BREAK),
    Node: (_, node) =>
      'anchor' in node && node.anchor ? ((found = true), visit.BREAK) : undefined,
  });
  return found;
}

/** Whether the lines of a node say by themselves what they say in the whole. */
function alone(piece: string, name: string, value: unknown): boolean {
  const read = parsed(piece);
  if (read.errors.length) return false;
  const data = read.toJS() as { nodes?: Record<string, unknown> };
  const names = Object.keys(data.nodes ?? {});
  return names.length === 1 && names[0] === name && equal(data.nodes?.[name], value);
}

/** The one node of a changed piece, if it is still one, in the same column. */
function entryOf(piece: string, name: string, column: number): { value: unknown } | null {
  if (!piece.startsWith(HEAD) || !piece.endsWith('\n')) return null;
  const read = parsed(piece);
  const nodes = read.errors.length ? null : read.get('nodes', true);
  const key = isMap(nodes) && nodes.items.length === 1 ? nodes.items[0]?.key : null;
  if (!isScalar(key) || key.value !== name || !key.range) return null;
  if (regionAt(piece, key.range[0])?.column !== column) return null;
  const data = read.toJS() as { nodes: Record<string, unknown> };
  return Object.keys(data).length === 1 ? { value: data.nodes[name] } : null;
}

const equal = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
