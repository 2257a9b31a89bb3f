/** The document being edited, and everything that is known about it. One text is the truth. */
import { all, Away, call, formOf, Refused } from '../lib/api';
import { freeName } from '../lib/names';
import type { Point } from '../lib/layout';
import { removeNodes, renameNode, setIn, Unreadable } from './document/edit';
import { History } from './document/history';
import {
  closesCircle,
  copied,
  graphOf,
  pasted,
  read,
  type Fault,
  type Graph,
} from './document/model';
import type { Problem } from './document/problems';
import type { Path } from './document/splice';
import { Kept, type Places, type Unsaved } from './kept';
import type { NodeType, PageData, Theirs } from './page';

const PAUSE = 400;
/** From this many nodes on a form waits for a pause in typing. */
const MANY = 300;

export class Editor {
  source = $state('');
  fault = $state.raw<Fault | null>(null);
  graph = $state.raw<Graph>(graphOf({}));
  problems = $state.raw<Problem[]>([]);
  checked = $state(false);
  /** Names of the selected nodes. */
  selection = $state.raw<string[]>([]);
  /** A field that shall be shown and focused, in the form of the selected node. */
  wanted = $state.raw<{ field: string } | null>(null);
  /** A line that shall be shown in the text. */
  line = $state.raw<{ line: number } | null>(null);
  types = $state.raw<NodeType[]>([]);
  variables = $state.raw<string[]>([]);
  places = $state.raw<Places>({});
  busy = $state('');
  said = $state.raw<{ text: string; bad: boolean; version?: number } | null>(null);
  theirs = $state.raw<Theirs | null>(null);
  unsaved = $state.raw<Unsaved | null>(null);
  canUndo = $state(false);
  canRedo = $state(false);
  published = $state<number | null>(null);
  saved = $state('');

  page: PageData;
  readonly changed = $derived.by(() => this.source !== this.saved);
  readonly errors = $derived(this.problems.filter((one) => one.severity === 'error').length);
  readonly warnings = $derived(this.problems.length - this.errors);

  #history: History;
  #kept: Kept;
  #timer = 0;
  #keeping = 0;
  #asked: AbortController | null = null;
  #deferred: { run: () => void; timer: number } | null = null;

  constructor(page: PageData) {
    this.page = page;
    this.published = page.published;
    this.saved = page.source;
    this.#history = new History(page.source);
    this.#kept = new Kept(`${page.workspace}.${page.id ?? 'new'}`);
    this.places = this.#kept.places;
    const unsaved = this.#kept.unsaved;
    if (unsaved && unsaved.source !== page.source) this.unsaved = unsaved;
    this.#show(page.source);
    void this.#learn();
  }

  async #learn(): Promise<void> {
    const { api, workspace } = this.page;
    const types = await call<NodeType[]>(`${api}node-types/`).catch(() => []);
    this.types = types.filter((type) => type.name !== 'end');
    this.variables = (await all<{ name: string }>(`${api}variables/`, workspace)).map(
      (one) => one.name,
    );
  }

  // -- changing

  /** Take a new text. Changes of one `kind` in quick succession are one step of undoing. */
  apply(source: string, kind = ''): void {
    if (source === this.source) return;
    this.#history.push(source, kind, Date.now());
    this.#show(source);
  }

  /** Change the document by a function of its text; a text that cannot be read stays. */
  edit(change: (source: string) => string, kind = ''): boolean {
    try {
      this.apply(change(this.source), kind);
      return true;
    } catch (reason) {
      if (!(reason instanceof Unreadable)) throw reason;
      this.said = { text: 'Mend the text first: it cannot be read.', bad: true };
      return false;
    }
  }

  set(path: Path, value: unknown): void {
    this.edit((source) => setIn(source, path, value), path.join('.'));
  }

  /** Like `edit`, after a pause in typing when the document is large. */
  later(run: () => void): void {
    if (this.#deferred) window.clearTimeout(this.#deferred.timer);
    this.#deferred = null;
    if (this.graph.steps.length < MANY) run();
    else this.#deferred = { run, timer: window.setTimeout(() => this.flush(), PAUSE) };
  }

  flush(): void {
    const waiting = this.#deferred;
    this.#deferred = null;
    if (!waiting) return;
    window.clearTimeout(waiting.timer);
    waiting.run();
  }

  undo(): void {
    this.flush();
    this.#show(this.#history.undo());
  }

  redo(): void {
    this.flush();
    this.#show(this.#history.redo());
  }

  #show(source: string): void {
    this.source = source;
    this.canUndo = this.#history.canUndo;
    this.canRedo = this.#history.canRedo;
    const result = read(source);
    if ('graph' in result) {
      this.graph = result.graph;
      this.fault = null;
      const names = new Set(result.graph.steps.map((step) => step.name));
      if (this.selection.some((name) => !names.has(name)))
        this.selection = this.selection.filter((name) => names.has(name));
    } else {
      this.fault = result.fault;
    }
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.check(), PAUSE);
    window.clearTimeout(this.#keeping);
    this.#keeping = window.setTimeout(() => this.keep(), PAUSE);
  }

  /** Keep what is not saved in this browser, in case it goes down. */
  keep(): void {
    if (this.unsaved) return; // an older one waits for its author's word
    this.#kept.unsaved = this.changed
      ? { source: this.source, revision: this.page.revision, at: new Date().toISOString() }
      : null;
  }

  /** Take up what this browser had kept, or forget it. */
  recover(wanted: boolean): void {
    const unsaved = this.unsaved;
    this.unsaved = null;
    if (wanted && unsaved) {
      this.page = { ...this.page, revision: unsaved.revision };
      this.apply(unsaved.source);
    } else this.keep();
  }

  // -- nodes

  add(type: string, at: Point | null, needs: string | null = null): string {
    const taken = new Set(this.graph.steps.map((step) => step.name));
    const name = freeName(type, taken);
    const fields = { type, ...(needs ? { needs: [needs] } : {}), ...starting(type) };
    if (this.edit((source) => setIn(source, ['nodes', name], fields))) {
      if (at) this.move({ [name]: at });
      this.selection = [name];
    }
    return name;
  }

  remove(names: readonly string[]): void {
    if (names.length) this.edit((source) => removeNodes(source, names));
  }

  rename(from: string, to: string): void {
    const done = this.edit((source) => renameNode(source, from, to));
    if (!done) return;
    const at = this.places[from];
    if (at) this.move({ [to]: at });
    this.selection = [to];
  }

  mayConnect(from: string, to: string): boolean {
    return !closesCircle(this.graph, from, to);
  }

  connect(from: string, to: string, branch = ''): void {
    const need = branch ? `${from}.${branch}` : from;
    const step = this.graph.steps.find((one) => one.name === to);
    if (!step || step.needs.includes(need) || !this.mayConnect(from, to)) return;
    this.edit((source) => setIn(source, ['nodes', to, 'needs'], [...step.needs, need]));
  }

  /** Take edges away, each as [from, to, case]. */
  disconnect(edges: readonly (readonly [string, string, string])[]): void {
    this.edit((source) =>
      edges.reduce((text, [from, to, branch]) => {
        const result = read(text);
        const step = 'graph' in result && result.graph.steps.find((one) => one.name === to);
        if (!step) return text;
        const gone = branch ? `${from}.${branch}` : from;
        const needs = step.needs.filter((need) => need !== gone);
        return setIn(text, ['nodes', to, 'needs'], needs.length ? needs : undefined);
      }, source),
    );
  }

  copy(): string {
    return copied(this.source, this.selection);
  }

  paste(piece: string): boolean {
    let names: string[] | null = null;
    this.edit((source) => {
      const done = pasted(source, piece);
      names = done?.names ?? null;
      return done?.source ?? source;
    });
    if (names) this.selection = names;
    return names !== null;
  }

  /** Where the canvas shows the nodes now. */
  standing: () => Places = () => ({});

  /** From the first move on, every node stays where it stands. */
  move(places: Places): void {
    this.places = { ...this.standing(), ...this.places, ...places };
    this.#kept.places = this.places;
  }

  arrange(): void {
    this.places = {};
    this.#kept.places = {};
  }

  // -- the server

  async check(): Promise<void> {
    this.#asked?.abort();
    const asked = (this.#asked = new AbortController());
    const source = this.source;
    try {
      const answer = await call<{ problems: Problem[] }>(`${this.page.api}workflows/validate/`, {
        body: { source },
        workspace: this.page.workspace,
        signal: asked.signal,
      });
      if (source !== this.source) return;
      this.problems = [...answer.problems, ...this.#misnamed()];
      this.checked = true;
    } catch {
      // Away for a moment, or a newer text is being checked.
    }
  }

  /** A published workflow keeps its name. */
  #misnamed(): Problem[] {
    const { name } = this.page;
    const said = this.graph.data.workflow;
    if (this.published === null || !name || typeof said !== 'string' || said === name) return [];
    return [
      {
        code: 'workflow_name_mismatch',
        path: 'workflow',
        message: `This workflow is published as '${name}'; its name cannot change.`,
        hint: `Write '${name}', or make a new workflow.`,
        severity: 'error',
        line: Math.max(1, this.source.split('\n').findIndex((l) => l.startsWith('workflow')) + 1),
        column: 1,
      },
    ];
  }

  async save(): Promise<boolean> {
    return this.#acting('save', async (source) => {
      if (!this.page.urls.save) {
        await this.#create(source);
        await this.#headed();
      } else {
        const form = formOf({ source, base: this.page.revision });
        const { revision } = await call<{ revision: number }>(this.page.urls.save, { body: form });
        this.page = { ...this.page, revision };
      }
      this.saved = source;
      this.said = { text: 'Saved as a draft. Nothing runs it until it is published.', bad: false };
    });
  }

  async #create(source: string, workspace = this.page.workspace): Promise<void> {
    const form = formOf({ source, workspace });
    const made = await call<Pick<PageData, 'id' | 'revision' | 'urls'>>(this.page.create, {
      body: form,
    });
    this.#kept.unsaved = null;
    const places = this.places;
    this.#kept.places = {};
    this.page = { ...this.page, ...made };
    this.#kept = new Kept(`${workspace}.${made.id}`);
    this.#kept.places = places;
    window.history.replaceState(null, '', made.urls.page);
  }

  /** The head of the page is the server's: saved or published, it has another name and other tabs. */
  async #headed(): Promise<void> {
    const answer = await fetch(this.page.urls.page ?? '', { credentials: 'same-origin' }).catch(
      () => null,
    );
    if (!answer?.ok || answer.redirected) return; // it stays as it was
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    document.title = fresh.title;
    for (const part of ['header.top', 'nav.tabs']) {
      const put = fresh.querySelector(`.celesta ${part}`);
      if (put) document.querySelector(`.celesta ${part}`)?.replaceWith(put);
    }
  }

  async publish(note: string): Promise<boolean> {
    return this.#acting('publish', async (source) => {
      if (!this.page.urls.publish) await this.#create(source);
      const form = formOf({ source, note, base: this.page.revision });
      const done = await call<{ version: number; created: boolean; revision: number }>(
        this.page.urls.publish ?? '',
        { body: form },
      );
      this.page = { ...this.page, revision: done.revision };
      const name = this.graph.data.workflow;
      if (typeof name === 'string') this.page = { ...this.page, name };
      this.published = done.version;
      this.saved = source;
      const text = done.created
        ? `Published as version ${done.version}.`
        : `Nothing to publish: the document equals version ${done.version}.`;
      this.said = { text, bad: false, version: done.version };
      await this.#headed();
    });
  }

  async #acting(what: string, act: (source: string) => Promise<void>): Promise<boolean> {
    this.flush();
    if (this.busy) return false;
    this.busy = what;
    this.said = null;
    try {
      await act(this.source);
      this.keep();
      return true;
    } catch (reason) {
      await this.#refused(reason);
      return false;
    } finally {
      this.busy = '';
    }
  }

  async #refused(reason: unknown): Promise<void> {
    if (reason instanceof Refused && reason.body.code === 'draft_changed') {
      this.theirs = reason.body.theirs as Theirs;
      return;
    }
    if (reason instanceof Refused && Array.isArray(reason.body.problems)) {
      this.problems = reason.body.problems as Problem[];
      this.said = { text: 'Not published: the document has errors.', bad: true };
    } else if (reason instanceof Refused || reason instanceof Away)
      this.said = { text: reason.message, bad: true };
    else throw reason;
    // The text itself may have been kept: ask which revision is the last now.
    if (this.page.urls.save && reason instanceof Refused && reason.status === 422) {
      const form = formOf({ source: this.source, base: this.page.revision });
      const kept = await call<{ revision: number }>(this.page.urls.save, { body: form }).catch(
        () => null,
      );
      if (kept) {
        this.page = { ...this.page, revision: kept.revision };
        this.saved = this.source;
      }
    }
  }

  // -- a conflict

  takeTheirs(): void {
    if (!this.theirs) return;
    this.page = { ...this.page, revision: this.theirs.revision };
    this.saved = this.theirs.source;
    this.apply(this.theirs.source);
    this.theirs = null;
  }

  async saveCopy(): Promise<void> {
    const name = String(this.graph.data.workflow ?? 'untitled');
    this.edit((source) => setIn(source, ['workflow'], `${name}-copy`));
    this.theirs = null;
    this.published = null;
    this.page = { ...this.page, id: null, name: null, urls: {}, revision: 0 };
    await this.save();
  }
}

/** What a new node of a type is told to begin with, so that its form shows what is missing. */
function starting(type: string): { with?: Record<string, unknown> } {
  switch (type) {
    case 'wait':
      return { with: { for: '5m' } };
    case 'map':
      return { with: { over: [], do: { type: 'transform', with: { output: '{{ item }}' } } } };
    case 'branch':
      return { with: { cases: { yes: '{{ true }}' }, default: 'no' } };
    case 'transform':
      return { with: { output: '' } };
    default:
      return {};
  }
}
