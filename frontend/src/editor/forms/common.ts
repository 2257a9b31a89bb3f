/** The fields that every node has, whatever its type. */
import type { Field } from './schema';

export const JOINS = [
  ['all_success', 'all succeeded'],
  ['none_failed', 'none failed (skipped is fine)'],
  ['all_done', 'all ended, however'],
  ['any_success', 'one succeeded'],
  ['any_failed', 'one failed'],
  ['none_skipped', 'none was skipped'],
] as const;

const field = (name: string, label: string, help: string, more: Partial<Field> = {}): Field => ({
  name,
  label,
  help,
  kind: 'text',
  required: false,
  placeholder: '',
  choices: [],
  expressions: '',
  ...more,
});

export const WHEN = field(
  'when',
  'Only when',
  'An expression; when it is false the node is skipped.',
  {
    expressions: 'bare',
    placeholder: 'params.express == true',
  },
);

/** How a node runs; the body of a map has these too. Names with a dot lead into a mapping. */
export const RUNNING: Field[] = [
  field('queue', 'Queue', 'The Celery queue it runs on.', { placeholder: 'default' }),
  field('timeout', 'Timeout', 'Deadline of one attempt: 30s, 5m, 2h.', { placeholder: 'none' }),
  field('retry.attempts', 'Attempts', 'The first one counts.', {
    kind: 'number',
    minimum: 1,
    maximum: 1000,
    placeholder: '1',
  }),
  field('retry.backoff', 'First pause', 'The wait before the second attempt.', {
    placeholder: '1s',
  }),
  field('retry.factor', 'Factor', 'By how much each pause grows.', {
    kind: 'number',
    minimum: 1,
    maximum: 100,
    placeholder: '2',
  }),
  field('retry.max', 'Longest pause', '', { placeholder: '60s' }),
  field('retry.jitter', 'Jitter', 'Spread pauses at random, so that not all come back at once.', {
    kind: 'boolean',
    placeholder: 'true',
  }),
  field('priority', 'Priority', '0 to 9, higher first.', {
    kind: 'number',
    minimum: 0,
    maximum: 9,
    placeholder: '5',
  }),
];

/** What the whole document says of itself. */
export const DOCUMENT: Field[] = [
  field('workflow', 'Name', 'Small letters, digits and _, in parts joined by . or -.', {
    required: true,
  }),
  field('title', 'Title', 'For people.'),
  field('description', 'Description', 'What it is for.', { kind: 'lines' }),
  field('tags', 'Tags', 'For search, separated by commas.', { kind: 'names' }),
  field('params', 'Params', 'JSON Schema of an object: becomes the start form.', { kind: 'lines' }),
  field('output', 'Output', 'Any value with expressions: what a run gives.', {
    kind: 'lines',
    expressions: 'braces',
  }),
  field('timeout', 'Timeout', 'Deadline of a whole run.', { placeholder: 'none' }),
  field('defaults', 'Defaults', 'queue, timeout, retry and priority of every node.', {
    kind: 'lines',
  }),
];
