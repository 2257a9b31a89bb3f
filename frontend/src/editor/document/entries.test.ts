import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { setIn } from './edit';
import { dataOf } from './entries';
import { read } from './model';
import { glanced, readAhead } from './splice';

const TEXT = `# Ours.
workflow: a
nodes:
  one: {type: transform, with: {output: 1}}   # the first
  # about two
  two:
    type: http
    needs:
    - one
    with:
      body: |
        several lines
          of text: here
      # deeper
      url: "{{ params.url }}"

  three: {type: wait, needs: [two], with: {for: 1s}}
# at the end
output: "{{ nodes.two.output }}"
`;

/** Changes, one after the other, each of a node that an earlier one may have moved. */
const CHANGES: [string[], unknown][] = [
  [['nodes', 'two', 'with', 'url'], 'https://shop.example/{{ params.id }}'],
  [['nodes', 'one', 'title'], 'The first: "one" #1'],
  [['nodes', 'three', 'retry', 'attempts'], 3],
  [['nodes', 'two', 'with', 'body'], 'one\ntwo\n\nthree'],
  [['nodes', 'two', 'needs'], undefined],
  [['nodes', 'three', 'with', 'for'], '5m'],
  [['nodes', 'three', 'retry', 'attempts'], undefined],
  [['nodes', 'one', 'with', 'output'], { a: [1, { b: null }], c: 'yes' }],
];

describe('a change within one node', () => {
  it('says the same as a text that is read anew, one after the other', () => {
    let text = TEXT;
    for (const [path, value] of CHANGES) {
      text = setIn(text, path, value);
      expect(dataOf(text)).toEqual(parse(text));
      const result = read(text);
      expect('graph' in result && result.graph.data).toEqual(parse(text));
    }
    for (const kept of ['# Ours.', '# about two', '# deeper', '# at the end', '# the first'])
      expect(text).toContain(kept);
  });

  it('leaves the lines of all others as they were', () => {
    const after = setIn(TEXT, ['nodes', 'two', 'queue'], 'slow');
    const around = (text: string): string =>
      text.slice(0, text.indexOf('  two:')) + text.slice(text.indexOf('  three:'));
    expect(around(after)).toBe(around(TEXT));
  });

  it('keeps steps that did not change, so that nothing of them is drawn again', () => {
    const one = setIn(TEXT, ['nodes', 'one', 'title'], 'One');
    const before = read(one);
    const after = read(setIn(one, ['nodes', 'two', 'title'], 'Two'));
    if (!('graph' in before && 'graph' in after)) throw new Error('unreadable');
    expect(after.graph.steps[2]).toBe(before.graph.steps[2]);
    expect(after.graph.steps[1]).not.toBe(before.graph.steps[1]);
  });

  it('is one of the whole where an entry cannot stand alone', () => {
    const anchors =
      'workflow: a\nnodes:\n  b: {type: wait, with: &w {for: 1s}}\n  c: {type: wait, with: *w}\n';
    expect(dataOf(setIn(anchors, ['nodes', 'b', 'queue'], 'q'))).toBeNull();
    const flow = 'workflow: a\nnodes: {b: {type: wait}}\n';
    const after = setIn(flow, ['nodes', 'b', 'queue'], 'q');
    expect(dataOf(after)).toBeNull();
    expect(parse(after)).toEqual({ workflow: 'a', nodes: { b: { type: 'wait', queue: 'q' } } });
  });
});

describe('reading ahead', () => {
  it('gives what reading at once gives, and pauses on the way', async () => {
    const long = TEXT.replace(/ {2}one:.*\n/, (one) =>
      Array.from({ length: 800 }, (_, i) => one.replace('one', `n${i}`)).join(''),
    ).replace('- one', '- n0');
    let pauses = 0;
    await readAhead(long, async () => void (pauses += 1));
    expect(pauses).toBeGreaterThan(0);
    expect(glanced(long).toJS()).toEqual(parse(long));
    expect(glanced(long).contents?.range).toEqual(glanced(`${long} `).contents?.range);
  });

  it('leaves a text with an error to be read at once', async () => {
    await readAhead('workflow: a\nnodes: [\n', async () => undefined);
    expect(read('workflow: a\nnodes: [\n')).toMatchObject({ fault: { line: 3 } });
  });
});
