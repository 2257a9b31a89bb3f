/** Changes of a document that leave everything else in its text as it was, byte for byte.
 *
 * A change rewrites the smallest entry around it. What comes out is read again: if it does not say
 * the same as the changed tree, or has lost a comment, the whole tree is printed instead.
 */
import { Document, isMap, isScalar, isSeq, visit, type Node, type Pair, type Scalar } from 'yaml';
import { withinEntry } from './entries';
import {
  entryText,
  glanced,
  pairAt,
  parsed,
  printed,
  regionOf,
  replaced,
  type Path,
} from './splice';

/** Top-level fields in the order in which they are written. */
const ORDER = [
  'workflow',
  'title',
  'description',
  'tags',
  'params',
  'defaults',
  'timeout',
  'nodes',
  'output',
];

/** The text cannot be read: mend it in the text pane first. */
export class Unreadable extends Error {}

export const isJson = (source: string): boolean => source.trimStart().startsWith('{');

function opened(source: string): Document.Parsed {
  const document = parsed(source);
  if (document.errors.length) throw new Unreadable(document.errors[0]?.message);
  return document;
}

/** Set what stands at `path`; undefined takes it away, and mappings that it leaves empty. */
export function setIn(source: string, path: Path, value: unknown): string {
  const within = isJson(source)
    ? null
    : withinEntry(source, path, (piece) => setInWhole(piece, path, value));
  return within ?? setInWhole(source, path, value);
}

function setInWhole(source: string, path: Path, value: unknown): string {
  const document = opened(source);
  const quick = isJson(source) ? null : scalarInPlace(source, document, path, value);
  if (quick !== null) return quick;
  const nodes = document.get('nodes', true);
  const within = path[0] === 'nodes' && path.length > 1 && isMap(nodes) && nodes.items.length > 0;
  const entry = path.slice(0, within ? 2 : 1);
  const region = isJson(source) ? null : regionOf(source, document, entry);
  change(document, path, value);
  const pair = pairAt(document, entry);
  if (region)
    return checked(source, document, pair, (p) =>
      replaced(source, region, p ? entryText(p, region.column, source) : ''),
    );
  if (!isJson(source) && pair)
    return checked(source, document, pair, (p) => inserted(source, entry, [p as Pair]));
  return whole(source, document);
}

function change(document: Document, path: Path, value: unknown): void {
  if (value !== undefined) {
    for (let length = 0; length < path.length; length += 1) {
      const parent = length ? document.getIn(path.slice(0, length), true) : document.contents;
      if (isMap(parent) && !parent.items.length) parent.flow = false;
    }
    const old = document.getIn(path, true);
    const node = document.createNode(value) as Node;
    if (isScalar(old) && isScalar(node)) {
      old.value = node.value;
      delete old.source;
    } else {
      // A list of names reads best in one line.
      visit(node, { Seq: (_, seq) => void (seq.flow = seq.items.every(isScalar)) });
      if ((isSeq(node) || isMap(node)) && (isSeq(old) || isMap(old))) node.flow = old.flow ?? false;
      document.setIn(path, node);
    }
    return;
  }
  document.deleteIn(path);
  for (let up = path.slice(0, -1); up.length > 2; up = up.slice(0, -1)) {
    const parent = document.getIn(up, true);
    if (!isMap(parent) || parent.items.length) break;
    document.deleteIn(up);
  }
}

/** A scalar for a scalar: only its own characters change. */
function scalarInPlace(
  source: string,
  document: Document,
  path: Path,
  value: unknown,
): string | null {
  const old = document.getIn(path, true);
  if (!isScalar(old) || !old.range || typeof value === 'object' || value === undefined) return null;
  if (String(old.type).startsWith('BLOCK') || String(value).includes('\n') || old.anchor)
    return null;
  const [from, to] = old.range;
  if (from === to) return null;
  const text = scalarText(document, value, old);
  const made = source.slice(0, from) + text + source.slice(to);
  change(document, path, value);
  return same(made, document) ? made : null;
}

function scalarText(document: Document, value: unknown, like: Scalar): string {
  const node = document.createNode([value]) as Node & { items: Scalar[]; flow?: boolean };
  node.flow = true; // what is safe in a list in brackets is safe anywhere
  const item = node.items[0];
  const mark = like.type === 'QUOTE_SINGLE' ? "'" : like.type === 'QUOTE_DOUBLE' ? '"' : null;
  if (item && mark && typeof value === 'string' && !value.includes(mark)) item.type = like.type;
  const lone = parsed('[]');
  lone.contents = node as never;
  return printed(lone, '').trim().slice(1, -1).trim();
}

/** Put nodes in after the last one, all at once. */
export function addNodes(source: string, nodes: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(nodes);
  const [first = '', ...others] = names;
  if (!names.length) return source;
  // The first finds the place, in whatever the document is.
  const text = setIn(source, ['nodes', first], nodes[first]);
  if (!others.length) return text;
  const document = opened(text);
  for (const name of others) change(document, ['nodes', name], nodes[name]);
  if (isJson(text)) return whole(text, document);
  const pairs = others.flatMap((name) => pairAt(document, ['nodes', name]) ?? []);
  return checked(text, document, null, () => inserted(text, ['nodes', ''], pairs));
}

/** Nodes as a document of their own. */
export function printedNodes(nodes: Readonly<Record<string, unknown>>): string {
  const document = new Document({ nodes });
  visit(document, { Seq: (_, seq) => void (seq.flow = seq.items.every(isScalar)) });
  return printed(document, '');
}

/** New entries at their place: nodes after the last node, other fields in their order. */
function inserted(source: string, entry: Path, pairs: readonly Pair[]): string {
  const document = opened(source);
  const parent = entry.length > 1 ? document.getIn(entry.slice(0, -1), true) : document.contents;
  if (!isMap(parent) || parent.flow) return source;
  const keys = parent.items.map((one) => String((one.key as Scalar).value));
  const before = entry.length > 1 ? keys.at(-1) : predecessor(keys, String(entry[0]));
  const region = before ? regionOf(source, document, [...entry.slice(0, -1), before]) : null;
  const column = region?.column ?? 0;
  const texts = pairs.map((pair) => entryText(pair, column, source));
  if (!region) return entry.length > 1 ? source : texts.join('') + source;
  const head = source.slice(0, region.end);
  const apart =
    entry.length === 1 ? entry[0] === 'nodes' || before === 'nodes' : spaced(source, region.start);
  return (
    head +
    (head.endsWith('\n') ? '' : '\n') +
    texts.map((text) => (apart ? '\n' : '') + text).join('') +
    source.slice(region.end)
  );
}

function spaced(source: string, start: number): boolean {
  return /\n[ \t]*\n(?:[ \t]*#[^\n]*\n)*$/.test(source.slice(0, start));
}

function predecessor(keys: string[], key: string): string | undefined {
  const place = ORDER.indexOf(key);
  const before = keys.filter((one) => ORDER.indexOf(one) < place);
  return place < 0 ? keys.at(-1) : before.at(-1);
}

/** Take nodes away, with the comment right above each, and out of everybody's needs. */
export function removeNodes(source: string, names: readonly string[]): string {
  const gone = new Set(names);
  let text = source;
  const before = opened(text).toJS() as {
    nodes?: Record<string, { needs?: unknown; compensates?: unknown }>;
  };
  for (const [name, node] of Object.entries(before.nodes ?? {})) {
    if (gone.has(name)) continue;
    const needs = Array.isArray(node?.needs) ? node.needs.map(String) : [];
    const kept = needs.filter((need) => !gone.has(need.split('.')[0] ?? ''));
    if (kept.length < needs.length)
      text = setIn(text, ['nodes', name, 'needs'], kept.length ? kept : undefined);
  }
  return withoutNodes(text, names);
}

/** All at once: the whole is read once, however many go. */
function withoutNodes(source: string, names: readonly string[]): string {
  const document = opened(source);
  const cuts = names.map((name) =>
    isJson(source) ? null : regionOf(source, document, ['nodes', name]),
  );
  for (const name of names) document.deleteIn(['nodes', name]);
  const nodes = document.get('nodes', true);
  if (!isMap(nodes) || !nodes.items.length || cuts.includes(null)) return whole(source, document);
  let made = source;
  for (const region of cuts.flatMap((cut) => cut ?? []).sort((a, b) => b.start - a.start)) {
    made = replaced(made, { ...region, start: commentAbove(made, region.start) }, '');
  }
  return same(made, document) ? made : whole(source, document);
}

/** Where the lines of comment right above a line begin. */
function commentAbove(source: string, start: number): number {
  let begin = start;
  while (begin > 0) {
    const line = source.lastIndexOf('\n', begin - 2) + 1;
    if (!source.slice(line, begin).trimStart().startsWith('#')) break;
    begin = line;
  }
  return begin;
}

/** Rename a node: its key, and whoever needs, undoes or reads it. */
export function renameNode(source: string, from: string, to: string): string {
  const document = opened(source);
  const cuts: [number, number, string][] = [];
  const pair = pairAt(document, ['nodes', from]);
  if (!pair?.key.range) return source;
  cuts.push([pair.key.range[0], pair.key.range[1], isJson(source) ? JSON.stringify(to) : to]);
  for (const [path, scalar] of scalarsOf(document)) {
    if (!scalar.range || typeof scalar.value !== 'string') continue;
    const raw = source.slice(scalar.range[0], scalar.range[1]);
    const said = renamedIn(raw, path, from, to);
    if (said !== raw) cuts.push([scalar.range[0], scalar.range[1], said]);
  }
  cuts.sort((a, b) => b[0] - a[0]);
  return cuts.reduce(
    (text, [start, end, said]) => text.slice(0, start) + said + text.slice(end),
    source,
  );
}

function renamedIn(raw: string, path: Path, from: string, to: string): string {
  if (path[0] === 'nodes' && path[2] === 'needs')
    return raw.replace(new RegExp(`^(["']?)${from}(?=["'.]|$)`), `$1${to}`);
  if (path[0] === 'nodes' && path[2] === 'compensates')
    return raw.replace(new RegExp(`^(["']?)${from}(?=["']|$)`), `$1${to}`);
  const inside = (text: string): string =>
    text
      .replace(new RegExp(`\\bnodes\\.${from}\\b`, 'g'), `nodes.${to}`)
      .replace(new RegExp(`\\bnodes\\[(\\\\?["'])${from}\\1\\]`, 'g'), `nodes[$1${to}$1]`);
  if (path[0] === 'nodes' && path.at(-1) === 'when') return inside(raw);
  return raw.replace(/\{\{[\s\S]*?\}\}/g, inside);
}

function* scalarsOf(document: Document): Generator<[Path, Scalar]> {
  const stack: [Path, unknown][] = [[[], document.contents]];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const [path, node] = next;
    if (isScalar(node)) yield [path, node];
    else if (isSeq(node)) node.items.forEach((item, i) => stack.push([[...path, i], item]));
    else if (isMap(node))
      for (const pair of node.items)
        stack.push([[...path, String((pair.key as Scalar).value)], pair.value]);
  }
}

/** `made` if it says what the changed tree says and has kept every comment, else the whole tree. */
function checked(
  source: string,
  document: Document,
  pair: Pair | null,
  make: (pair: Pair | null) => string,
): string {
  try {
    const made = make(pair);
    if (
      same(made, document) &&
      comments(made) >= Math.min(comments(source), comments(whole(source, document)))
    )
      return made;
  } catch {
    // An alias to an anchor elsewhere cannot be printed alone.
  }
  return whole(source, document);
}

function same(text: string, document: Document): boolean {
  const again = glanced(text);
  return !again.errors.length && canonical(again) === canonical(document);
}

/** A document as JSON with its keys in order: where a field stands means nothing. */
function canonical(document: Document): string {
  return JSON.stringify(document.toJS(), (_, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

const comments = (text: string): number => text.split('#').length;

function whole(source: string, document: Document): string {
  if (isJson(source)) return `${JSON.stringify(document.toJS(), null, 2)}\n`;
  return printed(document, source);
}
