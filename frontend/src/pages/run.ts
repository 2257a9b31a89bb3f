import { LiveGraph, type Snapshot } from '../run/graph';
import type { StreamEvent } from '../run/told';
import { lookAround } from '../run/window';

const frame = document.querySelector<HTMLElement>('.graph');
const svg = frame?.querySelector<SVGSVGElement>(':scope > svg');
if (frame && svg) {
  lookAround(frame, svg);
  const graph = new LiveGraph(svg, tally);
  document.addEventListener('celesta:event', (event) =>
    graph.tell((event as CustomEvent<StreamEvent>).detail),
  );
  // The page has looked again: see console.js.
  document.addEventListener('celesta:shown', () => {
    const data = document.getElementById('run-states');
    if (data?.textContent) graph.show(JSON.parse(data.textContent) as Snapshot);
  });
}

/** How many nodes are in which state, beside the heading. */
function tally(states: Iterable<string>): void {
  const counts = new Map<string, number>();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  for (const item of document.querySelectorAll<HTMLElement>('.legend [data-state]')) {
    const count = counts.get(item.dataset.state!) ?? 0;
    item.hidden = !count;
    item.querySelector('b')!.textContent = count.toLocaleString('en');
  }
}
