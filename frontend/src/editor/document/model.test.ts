import { describe, expect, it } from 'vitest';
import { removeNodes } from './edit';
import {
  ancestors,
  casesOf,
  closesCircle,
  copied,
  descendants,
  pasted,
  read,
  type Graph,
} from './model';

const TEXT = `workflow: a
nodes:
  one: {type: branch, with: {cases: {big: "{{ params.n > 3 }}"}, default: small}}
  two: {type: wait, needs: [one.big], with: {for: 1s}}
  three: {type: transform, needs: [two, nowhere], with: {output: "{{ nodes.two.output }}"}}
  undo: {type: wait, compensates: two}
`;

function graph(text = TEXT): Graph {
  const result = read(text);
  if (!('graph' in result)) throw new Error(result.fault.message);
  return result.graph;
}

describe('the graph of a document', () => {
  it('has links of nodes that exist, with the case of a branch', () => {
    expect(graph().links).toEqual([
      { from: 'one', to: 'two', case: 'big', kind: 'needs' },
      { from: 'two', to: 'three', case: '', kind: 'needs' },
      { from: 'two', to: 'undo', case: '', kind: 'undoes' },
    ]);
    expect(casesOf(graph().steps[0]!)).toEqual(['big', 'small']);
  });

  it('knows who is above, and what would close a circle', () => {
    expect(ancestors(graph(), 'three')).toEqual(['one', 'two']);
    expect(closesCircle(graph(), 'three', 'one')).toBe(true);
    expect(closesCircle(graph(), 'one', 'three')).toBe(false);
    expect([...descendants(graph(), 'two')].sort()).toEqual(['three', 'two', 'undo']);
  });

  it('says where a text cannot be read', () => {
    expect(read('workflow: a\nnodes: [\n')).toMatchObject({ fault: { line: 3 } });
    expect(read('just words')).toMatchObject({ fault: { line: 1 } });
  });

  it('copies nodes and puts them in under free names that follow each other', () => {
    const piece = copied(TEXT, ['two', 'three']);
    const done = pasted(TEXT, piece);
    expect(done?.names).toEqual(['two_2', 'three_2']);
    const made = graph(done?.source);
    expect(made.steps.find((step) => step.name === 'three_2')?.needs).toEqual(['two_2']);
    expect(done?.source).toContain('nodes.two_2.output');
    expect(done?.source.startsWith(TEXT)).toBe(true);
    expect(pasted(TEXT, 'no document')).toBeNull();
  });

  it('copies, pastes and deletes a thousand nodes while one waits', { timeout: 60_000 }, () => {
    const lines = Array.from(
      { length: 1000 },
      (_, i) =>
        `  # number ${i}\n  n${i}: {type: wait, needs: [${i ? `n${i - 1}` : ''}], with: {for: 1s}}\n`,
    );
    const text = `workflow: a\nnodes:\n${lines.join('')}output: 1\n`;
    const names = lines.map((_, i) => `n${i}`);
    const piece = copied(text, names);
    const done = pasted(text, piece);
    expect(done?.names).toHaveLength(1000);
    const twice = graph(done?.source);
    expect(twice.steps).toHaveLength(2000);
    expect(twice.steps.at(-1)).toMatchObject({ name: 'n999_2', needs: ['n998_2'] });
    expect(done?.source.startsWith(text.slice(0, text.indexOf('output')))).toBe(true);
    const fewer = removeNodes(done?.source ?? '', names.slice(1));
    expect(graph(fewer).steps).toHaveLength(1001);
    expect(fewer).toContain('# number 0\n');
    expect(fewer).not.toContain('# number 7\n');
    expect(fewer).toContain('output: 1\n');
  });
});
