/** What this browser keeps for an author: where nodes stand, and text that was not saved yet. */
import type { Point } from '../lib/layout';

export interface Unsaved {
  source: string;
  revision: number;
  at: string;
}

export type Places = Record<string, Point>;

/** One workflow's part of the browser's storage, which may be full or forbidden. */
export class Kept {
  constructor(private readonly key: string) {}

  get places(): Places {
    return (this.#get('places') as Places | null) ?? {};
  }

  set places(places: Places) {
    this.#set('places', Object.keys(places).length ? places : null);
  }

  get unsaved(): Unsaved | null {
    return this.#get('unsaved') as Unsaved | null;
  }

  set unsaved(unsaved: Unsaved | null) {
    this.#set('unsaved', unsaved);
  }

  #get(what: string): unknown {
    try {
      return JSON.parse(localStorage.getItem(`celesta.${what}.${this.key}`) ?? 'null');
    } catch {
      return null;
    }
  }

  #set(what: string, value: unknown): void {
    try {
      if (value === null) localStorage.removeItem(`celesta.${what}.${this.key}`);
      else localStorage.setItem(`celesta.${what}.${this.key}`, JSON.stringify(value));
    } catch {
      // Without storage the page works, and forgets.
    }
  }
}
