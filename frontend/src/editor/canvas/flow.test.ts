import { describe, expect, it } from 'vitest';
import { graphOf } from '../document/model';
import { flowEdges, flowNodes, placesOf, shapeOf, widthOf } from './flow';

const DATA = {
  nodes: {
    route: { type: 'branch', with: { cases: { large: '{{ true }}' }, default: 'small' } },
    a: { type: 'wait', needs: ['route.large'], with: { for: '1s' } },
    b: { type: 'wait', needs: ['route.gone'], with: { for: '1s' } },
    c: { type: 'wait', needs: ['route'], with: { for: '1s' } },
  },
};

describe('what the canvas draws', () => {
  it('has an edge from the handle of each case, and of one that is not there from the last', () => {
    const edges = flowEdges(graphOf(DATA), new Map());
    expect(edges.map((edge) => [edge.target, edge.sourceHandle, edge.data?.case])).toEqual([
      ['a', 'large', 'large'],
      ['b', null, 'gone'],
      ['c', null, ''],
    ]);
    const handles = flowNodes(graphOf(DATA), new Map(), [], [])[0]?.handles ?? [];
    expect(handles.filter((one) => one.type === 'source').map((one) => one.id)).toEqual([
      null,
      'large',
      'small',
    ]);
  });

  it('makes a branch as wide as its cases are long', () => {
    expect(widthOf([])).toBe(216);
    expect(widthOf(['delivery_abroad', 'everything_else'])).toBeGreaterThan(3 * 7 * 15);
  });

  it('keeps the nodes that did not change, and where they stand', () => {
    const graph = graphOf(DATA);
    const { places } = placesOf(graph, {});
    const before = flowNodes(graph, places, [], []);
    const wait = { ...DATA.nodes.c, title: 'Wait' };
    const edited = graphOf({ nodes: { ...DATA.nodes, c: wait } });
    expect(shapeOf(edited)).toBe(shapeOf(graph));
    const after = flowNodes(edited, placesOf(edited, {}).places, [], ['a'], before);
    expect(after.map((node, i) => node === before[i])).toEqual([true, false, true, false]);
    expect(after[3]?.position).toEqual(before[3]?.position);
  });
});
