/** What was, for undoing: one history for canvas, forms and text. */
export interface Moment {
  source: string;
  /** What kind of change led here: of several of one kind in a row only the last is kept. */
  kind: string;
  at: number;
}

const DEPTH = 300;
/** Milliseconds within which changes of one kind are one step of undoing. */
const TOGETHER = 900;

export class History {
  #moments: Moment[];
  #now = 0;

  constructor(source: string) {
    this.#moments = [{ source, kind: '', at: 0 }];
  }

  get source(): string {
    return this.#moments[this.#now]?.source ?? '';
  }

  get canUndo(): boolean {
    return this.#now > 0;
  }

  get canRedo(): boolean {
    return this.#now < this.#moments.length - 1;
  }

  /** Add what the document has become; `kind` '' never joins the step before. */
  push(source: string, kind: string, at: number): void {
    if (source === this.source) return;
    const last = this.#moments[this.#now];
    const joins = kind !== '' && last?.kind === kind && at - last.at < TOGETHER;
    this.#moments.length = this.#now + 1;
    if (joins) this.#moments.pop();
    this.#moments.push({ source, kind, at });
    if (this.#moments.length > DEPTH) this.#moments.shift();
    this.#now = this.#moments.length - 1;
  }

  undo(): string {
    this.#now = Math.max(0, this.#now - 1);
    this.#seal();
    return this.source;
  }

  redo(): string {
    this.#now = Math.min(this.#moments.length - 1, this.#now + 1);
    this.#seal();
    return this.source;
  }

  /** What was gone back to is not joined by what comes next. */
  #seal(): void {
    const moment = this.#moments[this.#now];
    if (moment) moment.kind = '';
  }
}
