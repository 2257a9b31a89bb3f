import { describe, expect, it } from 'vitest';
import { History } from './history';

describe('the history', () => {
  it('goes back and forth, and forgets what was undone when something new comes', () => {
    const history = new History('a');
    history.push('b', '', 1);
    history.push('c', '', 2);
    expect([history.undo(), history.undo(), history.undo()]).toEqual(['b', 'a', 'a']);
    expect(history.redo()).toBe('b');
    history.push('d', '', 3);
    expect(history.canRedo).toBe(false);
    expect(history.undo()).toBe('b');
  });

  it('takes quick changes of one kind for one step', () => {
    const history = new History('');
    history.push('w', 'text', 1000);
    history.push('wo', 'text', 1500);
    history.push('wo!', 'form', 1600);
    history.push('word', 'form', 9000);
    expect([history.undo(), history.undo(), history.undo()]).toEqual(['wo!', 'wo', '']);
  });
});
