// Which part of a drawing is seen: a rectangle in the drawing's own units, moved and scaled.

export interface View {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How much closer than life size one may look. */
const CLOSEST = 4;

/** All of a drawing, and around it what the window's proportions leave over. */
export function fit(drawing: View, window: { width: number; height: number }): View {
  const scale = Math.max(drawing.width / window.width, drawing.height / window.height, 0.001);
  const width = window.width * scale;
  const height = window.height * scale;
  return {
    x: drawing.x + (drawing.width - width) / 2,
    y: drawing.y + (drawing.height - height) / 2,
    width,
    height,
  };
}

/** Closer by that factor (below 1: further away), the point at (at.x, at.y) staying where it is. */
export function zoom(
  view: View,
  factor: number,
  at: { x: number; y: number },
  window: { width: number },
  whole: View,
): View {
  const least = window.width / CLOSEST;
  const width = Math.min(Math.max(view.width / factor, least), Math.max(whole.width, least));
  const share = width / view.width;
  return {
    x: at.x - (at.x - view.x) * share,
    y: at.y - (at.y - view.y) * share,
    width,
    height: view.height * share,
  };
}

/** Moved by so many of the drawing's units, never so far that nothing of it is seen. */
export function move(view: View, dx: number, dy: number, drawing: View): View {
  const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);
  return {
    ...view,
    x: within(view.x + dx, drawing.x - view.width / 2, drawing.x + drawing.width - view.width / 2),
    y: within(
      view.y + dy,
      drawing.y - view.height / 2,
      drawing.y + drawing.height - view.height / 2,
    ),
  };
}
