import { expect, it } from 'vitest';
import { arrange, routeKey } from './layout';

const box = (id: string) => ({ id, width: 200, height: 60 });

it('puts each node behind those it comes after, and none upon another', () => {
  const { places } = arrange(['a', 'b', 'c', 'd'].map(box), [
    { from: 'a', to: 'b' },
    { from: 'a', to: 'c' },
    { from: 'b', to: 'd' },
    { from: 'c', to: 'd' },
  ]);
  const at = (id: string) => places.get(id) ?? { x: NaN, y: NaN };
  expect(at('b').x).toBeGreaterThan(at('a').x + 200);
  expect(at('d').x).toBeGreaterThan(at('b').x + 200);
  expect(at('b').x).toBe(at('c').x);
  expect(Math.abs(at('b').y - at('c').y)).toBeGreaterThanOrEqual(60);
});

it('lays out a thousand nodes while one waits', () => {
  const boxes = Array.from({ length: 1000 }, (_, i) => box(`n${i}`));
  const edges = boxes.slice(1).map((one, i) => ({ from: `n${Math.floor(i / 3)}`, to: one.id }));
  const { places } = arrange(boxes, edges);
  expect(new Set([...places.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(1000);
  for (const { from, to } of edges)
    expect(places.get(to)!.x).toBeGreaterThan(places.get(from)!.x + 200);
});

it('leads a long edge around what is between its ends', () => {
  const edges = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'a', to: 'c' },
  ];
  const { places, routes } = arrange(['a', 'b', 'c'].map(box), edges, 'TB');
  const b = places.get('b')!;
  const way = routes.get(routeKey('a', 'c'))!;
  const beside = way.filter(({ y }) => y > b.y && y < b.y + 60);
  expect(beside.length).toBeGreaterThan(0);
  for (const { x } of beside) expect(x < b.x || x > b.x + 200).toBe(true);
  expect(routes.has(routeKey('a', 'b'))).toBe(false);
});

it('puts what comes after the first handle first', () => {
  const boxes = ['route', 'a', 'b', 'c', 'end'].map(box);
  for (const order of [
    ['a', 'b', 'c'],
    ['c', 'a', 'b'],
  ]) {
    const edges = order.flatMap((to, handle) => [
      { from: 'route', to, handle },
      { from: to, to: 'end' },
    ]);
    const { places } = arrange(boxes, edges, 'TB');
    const x = order.map((name) => places.get(name)!.x);
    expect(x[0]).toBeLessThan(x[2]!);
    expect(Math.min(...[...places.values()].map((at) => at.x))).toBeGreaterThanOrEqual(0);
  }
});
