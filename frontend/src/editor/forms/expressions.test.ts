import { describe, expect, it } from 'vitest';
import { graphOf } from '../document/model';
import { complete, type Surroundings } from './expressions';

const around: Surroundings = {
  graph: graphOf({
    params: { properties: { order: { type: 'integer' }, to: { properties: { city: {} } } } },
    nodes: { a: { type: 'http' }, b: { type: 'map', needs: ['a'] }, c: { type: 'wait' } },
  }),
  node: 'b',
  insideMap: false,
  variables: ['shop_url'],
};
const texts = (text: string, bare = false, more: Partial<Surroundings> = {}): string[] =>
  complete(text, text.length, bare, { ...around, ...more })?.options.map((one) => one.text) ?? [];

describe('completion', () => {
  it('is offered inside braces only, or anywhere in a bare expression', () => {
    expect(texts('par')).toEqual([]);
    expect(texts('x {{ par')).toEqual(['params']);
    expect(texts('{{ params.order }} par')).toEqual([]);
    expect(texts('par', true)).toEqual(['params']);
  });

  it('knows params with their members, variables, the run and ancestors', () => {
    expect(texts('{{ params.')).toEqual(['order', 'to']);
    expect(texts('{{ params.to.')).toEqual(['city']);
    expect(texts('{{ vars.')).toEqual(['shop_url']);
    expect(texts('{{ nodes.')).toEqual(['a']);
    expect(texts('{{ nodes.', false, { node: '' })).toEqual(['a', 'b', 'c']);
    expect(texts('{{ nodes.a.')).toEqual(['output', 'state', 'error']);
    expect(texts("nodes.a.state == 'f", true)).toEqual(['failed']);
    expect(texts('{{ run.i')).toEqual(['id']);
  });

  it('offers item and index inside a map', () => {
    expect(texts('{{ i', false, { insideMap: true })).toEqual(['item', 'index', 'int()']);
    expect(texts('{{ i')).toEqual(['int()']);
  });

  it('says where the word begins', () => {
    expect(complete('{{ params.or', 12, false, around)?.from).toBe(10);
  });
});
