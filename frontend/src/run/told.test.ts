import { expect, it } from 'vitest';
import { told } from './told';

const event = { id: 1, kind: 'running', scope: 0, node: 'a', index: 3, data: null };

it('one node', () => {
  expect(told(event)).toEqual({ nodes: [3], state: 'running' });
});

it('the members of a wave, by name', () => {
  const wave = { ...event, kind: 'ready', node: null, index: null, data: { nodes: ['a', 'b'] } };
  expect(told(wave)).toEqual({ nodes: ['a', 'b'], state: 'ready' });
});

it('a lost attempt leaves its node ready', () => {
  expect(told({ ...event, kind: 'lost' })?.state).toBe('ready');
});

it('nothing: items of maps, events of the run, results that were refused', () => {
  expect(told({ ...event, scope: 4 })).toBeNull();
  expect(told({ ...event, kind: 'run_failed', scope: null, index: null })).toBeNull();
  expect(told({ ...event, kind: 'refused' })).toBeNull();
  expect(told({ ...event, kind: 'ready', index: null, data: null })).toBeNull();
});
