import { describe, expect, it } from 'vitest';
import { History } from './history';

describe('the history', () => {
  it('goes back and forth, and forgets what was undone when something new comes', () => {
    const history = new History('a');
    history.push({ source: 'b' }, '', 1);
    history.push({ source: 'c' }, '', 2);
    expect([history.undo().source, history.undo().source, history.undo().source]).toEqual([
      'b',
      'a',
      'a',
    ]);
    expect(history.redo().source).toBe('b');
    history.push({ source: 'd' }, '', 3);
    expect(history.canRedo).toBe(false);
    expect(history.undo().source).toBe('b');
  });

  it('takes quick changes of one kind for one step', () => {
    const history = new History('');
    history.push({ source: 'w' }, 'text', 1000);
    history.push({ source: 'wo' }, 'text', 1500);
    history.push({ source: 'wo!' }, 'form', 1600);
    history.push({ source: 'word' }, 'form', 9000);
    expect([history.undo().source, history.undo().source, history.undo().source]).toEqual([
      'wo!',
      'wo',
      '',
    ]);
  });

  it('goes back to where nodes stood, step by step with the text', () => {
    const history = new History('a');
    const [there, beyond] = [{ n: { x: 1, y: 0 } }, { n: { x: 9, y: 0 } }];
    history.push({ places: there }, 'move', 1000);
    history.push({ source: 'b' }, '', 2000);
    history.push({ places: beyond }, 'move', 3000);
    expect(history.undo()).toMatchObject({ source: 'b', places: there });
    expect(history.undo()).toMatchObject({ source: 'a', places: there });
    expect(history.undo()).toMatchObject({ source: 'a', places: {} });
    history.redo();
    history.redo();
    expect(history.redo()).toMatchObject({ source: 'b', places: beyond });
  });
});
