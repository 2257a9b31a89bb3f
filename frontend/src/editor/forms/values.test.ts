import { expect, it } from 'vitest';
import { asNames, asNumber, asValue, shown } from './values';

it('shows a value so that reading it gives the same', () => {
  for (const value of [
    'a b',
    '{{ params.x }}',
    'Hi {{ item }}: you',
    '12',
    'true',
    3,
    [1, 'a'],
    { a: { b: [true] } },
    '# no',
    '- x',
    'a: b',
  ])
    expect(asValue(shown(value))).toEqual(value);
  expect(asValue('')).toBeUndefined();
  expect(() => asValue('{a: [')).toThrow();
});

it('takes numbers and names as they are typed', () => {
  expect([asNumber('3'), asNumber(' '), asNumber('{{ params.n }}')]).toEqual([
    3,
    undefined,
    '{{ params.n }}',
  ]);
  expect(asNames('a, b,, c ')).toEqual(['a', 'b', 'c']);
  expect(asNames(' ')).toBeUndefined();
});
