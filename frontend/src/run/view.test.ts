import { describe, expect, it } from 'vitest';
import { fit, move, zoom } from './view';

const drawing = { x: 0, y: 0, width: 2000, height: 500 };
const window = { width: 1000, height: 500 };

describe('the part of a drawing that is seen', () => {
  it('is all of it at first, in the middle', () => {
    expect(fit(drawing, window)).toEqual({ x: 0, y: -250, width: 2000, height: 1000 });
  });

  it('keeps the point under the pointer where it is', () => {
    const before = fit(drawing, window);
    const after = zoom(before, 2, { x: 500, y: 100 }, window, before);
    expect((500 - before.x) / before.width).toBeCloseTo((500 - after.x) / after.width);
    expect((100 - before.y) / before.height).toBeCloseTo((100 - after.y) / after.height);
    expect(after.width).toBe(1000);
  });

  it('comes no closer than four times life size, and goes no further than all', () => {
    const whole = fit(drawing, window);
    const middle = { x: 1000, y: 250 };
    expect(zoom(whole, 1000, middle, window, whole).width).toBe(250);
    expect(zoom(whole, 0.1, middle, window, whole).width).toBe(2000);
  });

  it('of a small drawing is not enlarged beyond the window for ever', () => {
    const small = { x: 0, y: 0, width: 100, height: 50 };
    const whole = fit(small, window);
    expect(zoom(whole, 0.1, { x: 50, y: 25 }, window, whole).width).toBe(250);
  });

  it('never leaves the drawing out of sight', () => {
    const view = { x: 0, y: 0, width: 400, height: 200 };
    expect(move(view, 1e9, 1e9, drawing)).toMatchObject({ x: 1800, y: 400 });
    expect(move(view, -1e9, -1e9, drawing)).toMatchObject({ x: -200, y: -100 });
  });
});
