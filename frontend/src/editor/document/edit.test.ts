import { describe, expect, it } from 'vitest';
import { removeNodes, renameNode, setIn } from './edit';

const TEXT = `# The shop's orders.
workflow: shop.orders   # never change this
title:   Orders

nodes:
  # first of all
  fetch: {type: http, with: {url: "https://shop.example/{{ params.id }}"}}   # slow

  # what is in it
  split:
    type: transform
    needs: [fetch]   # only this
    with:
      output: "{{ nodes.fetch.output.body }}"   # a list

  each:
    type: map
    needs:
    - split
    when: nodes.fetch.output.status == 200 && nodes['fetch'].state == 'succeeded'
    with:
      over:    '{{ nodes.split.output }}'
      do: {type: transform, with: {output: "{{ item }} of {{ nodes.split.output }}"}}
  # how it ends
output: "{{ nodes.each.output }} nodes.split.output"
`;

/** The lines that a change took away and those that it brought. */
function changed(after: string): { gone: string[]; come: string[] } {
  const [a, b] = [TEXT.split('\n'), after.split('\n')];
  return { gone: a.filter((l) => !b.includes(l)), come: b.filter((l) => !a.includes(l)) };
}

describe('a change of the document', () => {
  it('of a scalar touches only its own characters', () => {
    expect(changed(setIn(TEXT, ['title'], 'All orders'))).toEqual({
      gone: ['title:   Orders'],
      come: ['title:   All orders'],
    });
    expect(setIn(TEXT, ['nodes', 'each', 'with', 'over'], "{{ nodes['a'] }}")).toContain(
      `      over:    "{{ nodes['a'] }}"\n`,
    );
    expect(setIn(TEXT, ['nodes', 'fetch', 'with', 'url'], 'x, y')).toContain(
      '{type: http, with: {url: "x, y"}}   # slow',
    );
  });

  it('of a node leaves every other node as it was', () => {
    const after = setIn(TEXT, ['nodes', 'split', 'queue'], 'stock');
    expect(changed(after).come).toContain('    queue: stock');
    expect(after).toContain('# only this');
    expect(after).toContain('# a list');
    const untouched = (text: string): string =>
      text.slice(0, text.indexOf('  split:')) + text.slice(text.indexOf('\n  each:'));
    expect(untouched(after)).toBe(untouched(TEXT));
  });

  it('adds fields at their place and takes away what becomes empty', () => {
    const more = setIn(TEXT, ['nodes', 'each', 'retry', 'attempts'], 3);
    expect(more).toContain('    retry:\n      attempts: 3\n');
    expect(more).toContain('    needs:\n    - split\n');
    expect(setIn(more, ['nodes', 'each', 'retry', 'attempts'], undefined)).not.toContain('retry');
    expect(setIn(TEXT, ['tags'], ['a', 'b'])).toContain('title:   Orders\ntags: [a, b]\n');
    expect(setIn(TEXT, ['description'], 'one\ntwo')).toContain('description: |-\n  one\n  two\n');
    expect(setIn(TEXT, ['output'], undefined)).not.toContain('\noutput');
  });

  it('adds a node after the last one', () => {
    const after = setIn(TEXT, ['nodes', 'ship'], {
      type: 'wait',
      needs: ['each'],
      with: { for: '5m' },
    });
    expect(after).toContain(
      '\n\n  ship:\n    type: wait\n    needs: [each]\n    with:\n      for: 5m\n',
    );
    expect(changed(after).gone).toEqual([]);
    expect(setIn('workflow: a\nnodes: {}\n', ['nodes', 'b'], { type: 'wait' })).toBe(
      'workflow: a\nnodes:\n  b:\n    type: wait\n',
    );
    expect(setIn('workflow: a\n', ['nodes', 'b'], { type: 'wait' })).toBe(
      'workflow: a\n\nnodes:\n  b:\n    type: wait\n',
    );
  });

  it('removes a node with its comment, and from the needs of others', () => {
    const after = removeNodes(TEXT, ['split']);
    expect(after).not.toContain('what is in it');
    expect(after).not.toContain('- split');
    expect(after).toContain('# first of all');
    expect(after).toContain('# how it ends');
  });

  it('renames a node wherever it is named, and nothing else', () => {
    const after = renameNode(TEXT, 'split', 'lines');
    expect(after).toContain('\n  lines:\n');
    expect(after).toContain('    - lines\n');
    expect(after).toContain(`'{{ nodes.lines.output }}'`);
    expect(after).toContain('of {{ nodes.lines.output }}');
    // Outside braces it is only text.
    expect(after).toContain('}} nodes.split.output"');
    expect(renameNode(TEXT, 'fetch', 'get')).toContain(
      `when: nodes.get.output.status == 200 && nodes['get'].state`,
    );
    expect(renameNode(TEXT.replace('[fetch]', '[fetch.large]'), 'fetch', 'get')).toContain(
      'needs: [get.large]   # only this',
    );
  });

  it('keeps JSON as JSON', () => {
    const text = '{"workflow": "a", "nodes": {"b": {"type": "wait"}}}';
    expect(JSON.parse(setIn(text, ['nodes', 'b', 'queue'], 'x'))).toEqual({
      workflow: 'a',
      nodes: { b: { type: 'wait', queue: 'x' } },
    });
    expect(JSON.parse(renameNode(text, 'b', 'c'))).toEqual({
      workflow: 'a',
      nodes: { c: { type: 'wait' } },
    });
  });

  it('survives anchors and odd layouts by printing the whole', () => {
    const text = 'workflow: a\nnodes:\n  b: &b {type: wait}\n  c: *b\n';
    expect(setIn(text, ['nodes', 'd'], { type: 'wait' })).toContain('c: *b');
    expect(
      setIn('{workflow: a, nodes: {b: {type: wait}}}', ['nodes', 'b', 'queue'], 'q'),
    ).toContain('"q"');
  });
});
