// The graph of a run, live: the server draws it, and this colours it as the run goes on.
//
// Events of the stream are applied at once, many in one frame; what the page is told when it looks
// again (the whole of all states) puts right what no event told, as the progress of maps.

import { told, type StreamEvent } from './told';

const SVG = 'http://www.w3.org/2000/svg';

/** What the server says of all nodes at once; `seen` is the last event that it knows of. */
export interface Snapshot {
  seen: number;
  states: Record<string, string>;
  /** For each map that was expanded: its items by state, in the order in which they are shown. */
  maps: Record<string, [string, number][]>;
}

interface Node {
  group: SVGGElement;
  state: string;
  /** The event that said so. */
  event: number;
}

const OPEN = new Set(['pending', 'ready', 'running']);

export class LiveGraph {
  private readonly nodes = new Map<number, Node>();
  private readonly names = new Map<string, number>();
  private readonly lines = new Map<number, SVGPathElement[]>();
  private readonly changed = new Map<number, string>();
  private frame = 0;

  constructor(
    svg: SVGSVGElement,
    private readonly onChange: (states: Iterable<string>) => void,
  ) {
    for (const group of svg.querySelectorAll<SVGGElement>('[data-node]')) {
      const index = Number(group.dataset.node);
      this.nodes.set(index, { group, state: group.dataset.state ?? '', event: 0 });
      this.names.set(group.dataset.name ?? '', index);
    }
    for (const line of svg.querySelectorAll<SVGPathElement>('[data-from]')) {
      const from = Number(line.dataset.from);
      this.lines.set(from, [...(this.lines.get(from) ?? []), line]);
    }
  }

  /** Apply one message of the stream. */
  tell(event: StreamEvent): void {
    const news = told(event);
    for (const name of news?.nodes ?? []) {
      const index = typeof name === 'number' ? name : this.names.get(name);
      const node = index === undefined ? undefined : this.nodes.get(index);
      if (node && event.id >= node.event) {
        node.event = event.id;
        this.put(index!, news!.state);
      }
    }
  }

  /** Apply what is known of all nodes, except where an event has told something newer. */
  show(snapshot: Snapshot): void {
    for (const [index, node] of this.nodes) {
      const state = snapshot.states[index];
      if (state !== undefined && node.event <= snapshot.seen) this.put(index, state);
    }
    for (const [index, counts] of Object.entries(snapshot.maps)) {
      const node = this.nodes.get(Number(index));
      if (node) progress(node.group, counts);
    }
  }

  private put(index: number, state: string): void {
    this.changed.set(index, state);
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  private draw(): void {
    this.frame = 0;
    let any = false;
    for (const [index, state] of this.changed) {
      const node = this.nodes.get(index)!;
      if (node.state === state) continue;
      any = true;
      node.state = state;
      colour(node.group, state);
      for (const line of this.lines.get(index) ?? []) line.setAttribute('class', `edge s-${state}`);
    }
    this.changed.clear();
    if (any) this.onChange([...this.nodes.values()].map((node) => node.state));
  }
}

function colour(group: SVGGElement, state: string): void {
  group.setAttribute('class', `node s-${state}`);
  group.querySelector('.icon use')?.setAttribute('href', `#ce-${state}`);
  const title = group.querySelector('title');
  if (title) title.textContent = `${title.textContent?.split(':')[0]}: ${state.replace('_', ' ')}`;
}

/** The bar and the numbers of a map. */
function progress(group: SVGGElement, counts: [string, number][]): void {
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (!total) return;
  const kind = group.querySelector<SVGTextElement>('.kind');
  const done = counts.reduce((sum, [state, n]) => (OPEN.has(state) ? sum : sum + n), 0);
  const said = `${done.toLocaleString('en')} / ${total.toLocaleString('en')}`;
  if (kind) kind.textContent = `${kind.dataset.kind} · ${said}`;
  const bar = group.querySelector<SVGGElement>('.bar-of-items');
  if (!bar) return;
  const width = Number(bar.dataset.width);
  let x = 0;
  bar.replaceChildren(
    ...counts.map(([state, count]) => {
      const part = document.createElementNS(SVG, 'rect');
      part.setAttribute('class', `part s-${state}`);
      part.setAttribute('x', String(x));
      part.setAttribute('width', String((count / total) * width));
      part.setAttribute('height', '4');
      x += (count / total) * width;
      return part;
    }),
  );
}
