import { describe, expect, it } from 'vitest';
import { freeName, NODE_NAME } from './names';

describe('names of nodes', () => {
  it('counts on when a name is taken, and leaves out what a name cannot hold', () => {
    expect(freeName('fetch', new Set())).toBe('fetch');
    expect(freeName('fetch', new Set(['fetch', 'fetch_2']))).toBe('fetch_3');
    expect(freeName('my node!', new Set())).toBe('my_node_');
    expect(freeName('end', new Set())).toBe('end_2');
    expect(freeName('2nd', new Set())).toMatch(NODE_NAME);
  });
});
