// Looking around in a drawing: by wheel, by dragging, by keys, by buttons.

import { fit, move, zoom, type View } from './view';

const STEP = 1.25;
/** Part of what is seen by which an arrow key moves. */
const STRIDE = 0.1;
/** Below this part of life size labels cannot be read, and are not drawn. */
const LEGIBLE = 0.4;
/** Pixels that a press may move and still be a click on what is below it. */
const CLICK = 4;

export function lookAround(frame: HTMLElement, svg: SVGSVGElement): void {
  const drawing: View = {
    x: 0,
    y: 0,
    width: svg.viewBox.baseVal.width,
    height: svg.viewBox.baseVal.height,
  };
  let whole = fit(drawing, size());
  let view = whole;

  function size(): { width: number; height: number } {
    return { width: frame.clientWidth || 1, height: frame.clientHeight || 1 };
  }

  function show(next: View): void {
    view = next;
    svg.classList.toggle('far', size().width / view.width < LEGIBLE);
    svg.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
  }

  function point(event: MouseEvent): { x: number; y: number } {
    const box = svg.getBoundingClientRect();
    return {
      x: view.x + ((event.clientX - box.left) / box.width) * view.width,
      y: view.y + ((event.clientY - box.top) / box.height) * view.height,
    };
  }

  const middle = () => ({ x: view.x + view.width / 2, y: view.y + view.height / 2 });
  const closer = (factor: number, at = middle()) => show(zoom(view, factor, at, size(), whole));
  const by = (dx: number, dy: number) =>
    show(move(view, dx * view.width, dy * view.height, drawing));

  frame.classList.add('windowed');
  svg.removeAttribute('width');
  svg.removeAttribute('height');
  // As high as the drawing is when it is as wide as the page, within the bounds of the style sheet.
  frame.style.setProperty('--height', `${(drawing.height / drawing.width) * frame.clientWidth}px`);

  new ResizeObserver(() => {
    const untouched = view === whole;
    whole = fit(drawing, size());
    show(untouched ? whole : { ...view, height: (view.width * size().height) / size().width });
    if (untouched) view = whole;
  }).observe(frame);

  frame.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      closer(Math.exp(-event.deltaY / 300), point(event));
    },
    { passive: false },
  );

  let pressed: { x: number; y: number } | null = null;
  let dragged = false;
  frame.addEventListener('pointerdown', (event) => {
    if (event.button === 0 && event.pointerType !== 'touch')
      pressed = { x: event.clientX, y: event.clientY };
    dragged = false;
  });
  frame.addEventListener('pointermove', (event) => {
    if (!pressed) return;
    const [dx, dy] = [event.clientX - pressed.x, event.clientY - pressed.y];
    if (!dragged && Math.hypot(dx, dy) < CLICK) return;
    if (!dragged) frame.setPointerCapture(event.pointerId);
    dragged = true;
    const scale = view.width / size().width;
    show(move(view, -dx * scale, -dy * scale, drawing));
    pressed = { x: event.clientX, y: event.clientY };
  });
  for (const name of ['pointerup', 'pointercancel'])
    frame.addEventListener(name, () => (pressed = null));
  // What was dragged was not meant as a click, and a link not as something to be dragged away.
  frame.addEventListener(
    'click',
    (event) => {
      if (dragged) {
        event.preventDefault();
        event.stopPropagation();
      }
    },
    { capture: true },
  );
  frame.addEventListener('dragstart', (event) => event.preventDefault());

  const keys: Record<string, () => void> = {
    '+': () => closer(STEP),
    '=': () => closer(STEP),
    '-': () => closer(1 / STEP),
    '0': () => show(whole),
    ArrowLeft: () => by(-STRIDE, 0),
    ArrowRight: () => by(STRIDE, 0),
    ArrowUp: () => by(0, -STRIDE),
    ArrowDown: () => by(0, STRIDE),
  };
  frame.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  const buttons: Record<string, () => void> = {
    closer: keys['+']!,
    further: keys['-']!,
    all: keys['0']!,
  };
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-graph]'))
    button.addEventListener('click', () => buttons[button.dataset.graph!]?.());
}
