/** Where an entry of a block mapping stands in a text, and putting another in its place. */
import {
  Composer,
  Document,
  isMap,
  isScalar,
  Lexer,
  Pair,
  parseDocument,
  Parser,
  Scalar,
  YAMLMap,
  type CST,
} from 'yaml';

export type Path = readonly (string | number)[];

/** Lines of a text from `start` up to `end` (exclusive), whose key stands in `column`. */
export interface Region {
  start: number;
  end: number;
  column: number;
}

let styled: { source: string; indented: boolean } | null = null;

/** Whether the author indents lists below their key. Asked for each entry of one text. */
function indentsLists(source: string): boolean {
  if (styled?.source !== source)
    styled = { source, indented: !/^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(source) };
  return styled.indented;
}

/** The document as its author would have it printed: no folding, `{a: 1}` without padding. */
export function printed(document: Document, source: string): string {
  return document.toString({
    lineWidth: 0,
    flowCollectionPadding: false,
    indentSeq: indentsLists(source),
  });
}

const OPTIONS = { merge: false, prettyErrors: true };

export function parsed(source: string): Document.Parsed {
  return parseDocument(source, OPTIONS);
}

let kept: { source: string; document: Document.Parsed } | null = null;

/** The same for who changes nothing in it: what was checked after a change is not parsed again. */
export function glanced(source: string): Document.Parsed {
  if (kept?.source !== source) kept = { source, document: parsed(source) };
  return kept.document;
}

/** Milliseconds of reading after which the page is let draw and listen. */
const TURN = 16;

/** Read a text for `glanced`, and let the page breathe meanwhile: a thousand nodes take long. */
export async function readAhead(source: string, pause: () => Promise<void>): Promise<void> {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let begun = performance.now();
  for (const lexeme of new Lexer().lex(source)) {
    tokens.push(...parser.next(lexeme));
    if (performance.now() - begun < TURN) continue;
    await pause();
    begun = performance.now();
  }
  tokens.push(...parser.end());
  await pause();
  const documents = [...new Composer(OPTIONS).compose(tokens, true, source.length)];
  const [document] = documents;
  // Where an error is, and how it is told, is for `parsed` to say.
  if (document && documents.length === 1 && !document.errors.length)
    kept = { source, document: document as Document.Parsed };
  await pause();
}

/** The pair of a key in the mapping at `path`, if there is one. */
export function pairAt(document: Document, path: Path): Pair<Scalar, unknown> | null {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  if (!isMap(parent)) return null;
  const key = path.at(-1);
  for (const pair of parent.items) {
    // A key that was just set is a bare text.
    if (!isScalar(pair.key)) pair.key = document.createNode(pair.key) as never;
    if (isScalar(pair.key) && String(pair.key.value) === key) return pair as Pair<Scalar, unknown>;
  }
  return null;
}

/** The lines of the entry at `path`; null when it does not begin a line of a block mapping. */
export function regionOf(source: string, document: Document, path: Path): Region | null {
  const offset = pairAt(document, path)?.key.range?.[0];
  return offset === undefined ? null : regionAt(source, offset);
}

/** The lines of the entry whose key stands at `offset`; null as above. */
export function regionAt(source: string, offset: number): Region | null {
  const start = source.lastIndexOf('\n', offset - 1) + 1;
  const column = offset - start;
  if (source.slice(start, offset).trim()) return null;
  return { start, end: endOf(source, offset, column), column };
}

/** Whatever is indented deeper belongs to the entry, and so does a list that is not. */
function endOf(source: string, offset: number, column: number): number {
  let end = lineEnd(source, offset);
  for (let at = end; at < source.length;) {
    const next = lineEnd(source, at);
    const line = source.slice(at, next);
    const indent = line.length - line.trimStart().length;
    const text = line.trim();
    if (text && indent > column) end = next;
    else if (text && indent === column && /^-( |$)/.test(text)) end = next;
    else if (text && !text.startsWith('#')) break;
    at = next;
  }
  return end;
}

function lineEnd(source: string, from: number): number {
  const found = source.indexOf('\n', from);
  return found < 0 ? source.length : found + 1;
}

/** An entry as text of its own lines, each indented by `column`. */
export function entryText(pair: Pair, column: number, source: string): string {
  const map = new YAMLMap();
  const key = (pair.key as Scalar).clone() as Scalar;
  delete key.commentBefore;
  key.spaceBefore = false;
  map.items.push(new Pair(key, pair.value));
  const document = new Document();
  document.contents = map as never;
  const indent = ' '.repeat(column);
  return printed(document, source)
    .split('\n')
    .map((line) => (line ? indent + line : line))
    .join('\n');
}

export function replaced(source: string, region: Region, text: string): string {
  return source.slice(0, region.start) + text + source.slice(region.end);
}
