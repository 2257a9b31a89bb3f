/** The document being edited, and everything that is known about it. One text is the truth. */
import { all, Away, call, formOf, Refused } from '../lib/api';
import { freeName } from '../lib/names';
import type { Point } from '../lib/layout';
import { removeNodes, renameNode, setIn, Unreadable } from './document/edit';
import { History, type Moment } from './document/history';
import {
  closesCircle,
  copied,
  graphOf,
  pasted,
  read,
  type Fault,
  type Graph,
} from './document/model';
import { misnamed, type Problem } from './document/problems';
import { readAhead, type Path } from './document/splice';
import { starting } from './document/starting';
import { renewHead } from './head';
import { Kept, type Places, type Unsaved } from './kept';
import { pause } from './pause';
import type { NodeType, PageData, Theirs } from './page';

const PAUSE = 400;
/** Characters of a text that is read bit by bit when the page opens. */
const LONG = 20_000;
/** From this many nodes on a form waits for a pause in typing. */
const MANY = 300;

/** Text in a field that is no value yet, and why. */
export interface Unfit {
  field: string;
  text: string;
  reason: string;
}

export class Editor {
  source = $state('');
  fault = $state.raw<Fault | null>(null);
  graph = $state.raw<Graph>(graphOf({}));
  problems = $state.raw<Problem[]>([]);
  checked = $state(false);
  /** Why the text as it is now could not be checked. */
  unchecked = $state('');
  /** Names of the selected nodes. */
  selection = $state.raw<string[]>([]);
  /** A field that shall be shown and focused, in the form of the selected node. */
  wanted = $state.raw<{ field: string } | null>(null);
  /** A line that shall be shown in the text. */
  line = $state.raw<{ line: number } | null>(null);
  types = $state.raw<NodeType[]>([]);
  /** Why the types of nodes are not known. */
  untaught = $state('');
  variables = $state.raw<string[]>([]);
  /** What was typed into fields and is no value yet: it is not part of the document. */
  unfit = $state.raw<Readonly<Record<string, Unfit>>>({});
  places = $state.raw<Places>({});
  busy = $state('');
  /** A long text is being read: there is no graph yet. */
  opening = $state(false);
  said = $state.raw<{ text: string; bad: boolean; version?: number } | null>(null);
  theirs = $state.raw<Theirs | null>(null);
  unsaved = $state.raw<Unsaved | null>(null);
  canUndo = $state(false);
  canRedo = $state(false);
  published = $state<number | null>(null);
  saved = $state('');

  page: PageData;
  readonly changed = $derived.by(() => this.source !== this.saved);
  readonly unfitFields = $derived(Object.values(this.unfit).map((one) => one.field));
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
    this.#kept = new Kept(`${page.workspace}.${page.id ?? 'new'}`);
    this.places = this.#kept.places;
    this.#history = new History(page.source, this.places);
    const unsaved = this.#kept.unsaved;
    if (unsaved && unsaved.source !== page.source) this.unsaved = unsaved;
    if (page.source.length < LONG) this.#show(page.source);
    else void this.#open(page.source);
    void this.learn();
  }

  /** Read a long text bit by bit, then show it. */
  async #open(source: string): Promise<void> {
    this.opening = true;
    this.source = source;
    await readAhead(source, pause);
    // What the browser had kept may have been taken up meanwhile.
    this.#show(this.#history.moment.source);
    this.opening = false;
  }

  /** Ask for the types of nodes and the names of variables. */
  async learn(): Promise<void> {
    const { api, workspace } = this.page;
    try {
      const types = await call<NodeType[]>(`${api}node-types/`);
      this.types = types.filter((type) => type.name !== 'end');
      this.untaught = '';
    } catch (reason) {
      this.untaught = reason instanceof Error ? reason.message : String(reason);
    }
    this.variables = (await all<{ name: string }>(`${api}variables/`, workspace)).map(
      (one) => one.name,
    );
  }

  // -- changing

  /** Take a new text. Changes of one `kind` in quick succession are one step of undoing. */
  apply(source: string, kind = ''): void {
    if (source === this.source) return;
    this.#history.push({ source }, kind, Date.now());
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

  /** Keep, or forget, what a field holds that cannot be put into the document. */
  hold(id: string, held: Unfit | null): void {
    if (!held && !(id in this.unfit)) return;
    const { [id]: _, ...rest } = this.unfit;
    this.unfit = held ? { ...rest, [id]: held } : rest;
  }

  /** Forget what fields of a node held that are not there any more. */
  forget(node: string): void {
    const kept = Object.entries(this.unfit).filter(([id]) => !id.startsWith(`f-${node}-`));
    if (kept.length < Object.keys(this.unfit).length) this.unfit = Object.fromEntries(kept);
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
    this.#back(this.#history.undo());
  }

  redo(): void {
    this.flush();
    this.#back(this.#history.redo());
  }

  #back({ source, places }: Moment): void {
    this.#put(places);
    this.#show(source);
  }

  #show(source: string): void {
    this.source = source;
    this.canUndo = this.#history.canUndo;
    this.canRedo = this.#history.canRedo;
    const result = read(source);
    if ('graph' in result) {
      this.fault = null;
      const names = new Set(result.graph.steps.map((step) => step.name));
      for (const { name } of this.graph.steps) if (!names.has(name)) this.forget(name);
      this.graph = result.graph;
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
      if (at) this.#putToo({ [name]: at });
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
    if (at) this.#putToo({ [to]: at });
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
    this.#moved({ ...this.standing(), ...this.places, ...places }, 'move');
  }

  arrange(): void {
    if (Object.keys(this.places).length) this.#moved({}, '');
  }

  #moved(places: Places, kind: string): void {
    this.#history.push({ places }, kind, Date.now());
    this.#put(places);
    this.canUndo = this.#history.canUndo;
    this.canRedo = this.#history.canRedo;
  }

  /** Put nodes somewhere as a part of the change that was just made. */
  #putToo(places: Places): void {
    const all = { ...this.standing(), ...this.places, ...places };
    this.#history.amend(all);
    this.#put(all);
  }

  #put(places: Places): void {
    this.places = places;
    this.#kept.places = places;
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
      this.unchecked = '';
    } catch (reason) {
      if (asked.signal.aborted) return; // a newer text is being checked
      this.unchecked = reason instanceof Error ? reason.message : String(reason);
    }
  }

  /** A published workflow keeps its name. */
  #misnamed(): Problem[] {
    const said = this.graph.data.workflow;
    const { name } = this.page;
    if (this.published === null || !name || typeof said !== 'string' || said === name) return [];
    return [misnamed(name, this.source)];
  }

  async save(): Promise<boolean> {
    return this.#acting('save', async (source) => {
      if (!this.page.urls.save) {
        await this.#create(source);
        await renewHead(this.page.urls.page ?? '');
      } else {
        const form = formOf({ source, base: this.page.revision });
        const { revision } = await call<{ revision: number }>(this.page.urls.save, { body: form });
        this.page = { ...this.page, revision };
      }
      this.saved = source;
      this.said = this.unfitFields.length
        ? { text: `Saved as a draft, without ${this.#withoutUnfit()}.`, bad: true }
        : { text: 'Saved as a draft. Nothing runs it until it is published.', bad: false };
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

  #withoutUnfit(): string {
    return `what is no valid YAML yet in ${this.unfitFields.join(', ')}`;
  }

  async publish(note: string): Promise<boolean> {
    return this.#acting('publish', async (source) => {
      if (this.unfitFields.length)
        throw new Away(`Not published: mend ${this.#withoutUnfit()}, or empty it.`);
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
      await renewHead(this.page.urls.page ?? '');
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
    else
      this.said = {
        text: `This failed in the page itself (${String(reason)}). Copy the text from YAML before you load it again.`,
        bad: true,
      };
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
