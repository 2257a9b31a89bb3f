/** The text pane's editor: YAML in the pages' colours, problems at their lines, no history of its own. */
import { closeBrackets } from '@codemirror/autocomplete';
import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import {
  bracketMatching,
  HighlightStyle,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState, type Extension } from '@codemirror/state';
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';

const COLOURS = HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: 'var(--link)' },
  { tag: tags.propertyName, color: 'var(--link)' },
  { tag: tags.string, color: 'var(--succeeded)' },
  {
    tag: tags.comment,
    color: 'color-mix(in srgb, var(--quiet) 75%, var(--ink))',
    fontStyle: 'italic',
  },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--running)' },
  { tag: tags.meta, color: 'var(--quiet)' },
]);

const LOOK = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'var(--code)', color: 'var(--ink)', fontSize: '13px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px' },
  '.cm-content': { padding: '10px 0', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': {
    backgroundColor: 'var(--code)',
    color: 'var(--quiet)',
    borderRight: '1px solid var(--line)',
  },
  '.cm-activeLine, .cm-activeLineGutter': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 5%, transparent)',
  },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 26%, transparent) !important',
  },
  '.cm-hole': { color: 'var(--upstream_failed)', fontWeight: '560' },
  '.cm-hole *': { color: 'inherit' },
  '.cm-tooltip': {
    backgroundColor: 'var(--paper)',
    color: 'var(--ink)',
    border: '1px solid var(--line)',
    borderRadius: '8px',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
});

const holes = new MatchDecorator({
  regexp: /\{\{[^}]*\}\}/g,
  decoration: Decoration.mark({ class: 'cm-hole' }),
});
const HOLES = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = holes.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = holes.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

export function extensions(onchange: (text: string) => void): Extension[] {
  return [
    lineNumbers(),
    lintGutter(),
    highlightActiveLine(),
    drawSelection(),
    bracketMatching(),
    closeBrackets(),
    indentUnit.of('  '),
    EditorState.tabSize.of(2),
    yaml(),
    syntaxHighlighting(COLOURS),
    HOLES,
    LOOK,
    keymap.of([...defaultKeymap, indentWithTab]),
    EditorView.contentAttributes.of({
      'aria-label': 'Document (YAML)',
      tabindex: '0',
      spellcheck: 'false',
    }),
    EditorView.updateListener.of((update) => {
      const own = update.transactions.some(
        (one) => one.isUserEvent('input') || one.isUserEvent('delete') || one.isUserEvent('move'),
      );
      if (update.docChanged && own) onchange(update.state.doc.toString());
    }),
  ];
}

/** Make the view's text `text`, touching only what differs, so that the cursor stays. */
export function replace(view: EditorView, text: string): void {
  const now = view.state.doc.toString();
  if (now === text) return;
  let from = 0;
  while (from < now.length && from < text.length && now[from] === text[from]) from += 1;
  let [to, end] = [now.length, text.length];
  while (to > from && end > from && now[to - 1] === text[end - 1]) {
    to -= 1;
    end -= 1;
  }
  view.dispatch({ changes: { from, to, insert: text.slice(from, end) } });
}

export interface Mark {
  line: number;
  column: number | null;
  message: string;
  severity: 'error' | 'warning';
}

export function mark(view: EditorView, marks: readonly Mark[]): void {
  const { doc } = view.state;
  const found = marks.map(({ line, column, message, severity }): Diagnostic => {
    const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
    const from = Math.min(at.to, at.from + (column ? column - 1 : 0));
    return { from, to: Math.max(from, at.to), message, severity };
  });
  view.dispatch(setDiagnostics(view.state, found));
}
