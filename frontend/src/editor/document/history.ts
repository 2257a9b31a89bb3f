/** What was, for undoing: one history for canvas, forms and text. */
import type { Places } from '../kept';

export interface Moment {
  source: string;
  /** Where nodes were put by hand. */
  places: Places;
}

interface Step extends Moment {
  /** What kind of change led here: of several of one kind in a row only the last is kept. */
  kind: string;
  at: number;
}

const DEPTH = 300;
/** Milliseconds within which changes of one kind are one step of undoing. */
const TOGETHER = 900;

export class History {
  #steps: Step[];
  #now = 0;

  constructor(source: string, places: Places = {}) {
    this.#steps = [{ source, places, kind: '', at: 0 }];
  }

  get moment(): Moment {
    return this.#steps[this.#now] ?? { source: '', places: {} };
  }

  get canUndo(): boolean {
    return this.#now > 0;
  }

  get canRedo(): boolean {
    return this.#now < this.#steps.length - 1;
  }

  /** Add what the document, or the places of its nodes, have become; `kind` '' never joins the step
   * before. */
  push(next: Partial<Moment>, kind: string, at: number): void {
    const now = this.moment;
    const { source = now.source, places = now.places } = next;
    if (source === now.source && places === now.places) return;
    const last = this.#steps[this.#now];
    const joins = kind !== '' && last?.kind === kind && at - last.at < TOGETHER;
    this.#steps.length = this.#now + 1;
    if (joins) this.#steps.pop();
    this.#steps.push({ source, places, kind, at });
    if (this.#steps.length > DEPTH) this.#steps.shift();
    this.#now = this.#steps.length - 1;
  }

  /** The change that was just added has put nodes somewhere, too. */
  amend(places: Places): void {
    const step = this.#steps[this.#now];
    if (step) step.places = places;
  }

  undo(): Moment {
    this.#now = Math.max(0, this.#now - 1);
    this.#seal();
    return this.moment;
  }

  redo(): Moment {
    this.#now = Math.min(this.#steps.length - 1, this.#now + 1);
    this.#seal();
    return this.moment;
  }

  /** What was gone back to is not joined by what comes next. */
  #seal(): void {
    const step = this.#steps[this.#now];
    if (step) step.kind = '';
  }
}
