import { describe, expect, it } from 'vitest';
import { fieldsOf } from './schema';

describe('the form of a node type', () => {
  it('has a field of a fitting kind for each property, required ones first', () => {
    const fields = fieldsOf({
      required: ['url', 'do'],
      properties: {
        method: { enum: ['GET', 'POST'], default: 'GET', type: 'string', title: 'Method' },
        url: { type: 'string', description: 'Where to.' },
        timeout: {
          anyOf: [
            { type: 'string', examples: ['30s'] },
            { type: 'number', minimum: 0 },
          ],
        },
        most: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null },
        follow: { type: 'boolean', default: true },
        headers: { type: 'object' },
        json: {},
        do: { type: 'object', additionalProperties: true },
        case: { $ref: '#/$defs/Case' },
      },
      $defs: { Case: { type: 'object', description: 'One case.' } },
    });
    expect(fields.map((field) => [field.name, field.kind])).toEqual([
      ['url', 'text'],
      ['do', 'node'],
      ['method', 'choice'],
      ['timeout', 'text'],
      ['most', 'number'],
      ['follow', 'boolean'],
      ['headers', 'lines'],
      ['json', 'lines'],
      ['case', 'lines'],
    ]);
    expect(fields[2]).toMatchObject({
      choices: ['GET', 'POST'],
      placeholder: 'GET',
      label: 'Method',
    });
    expect(fields[3]).toMatchObject({ placeholder: '30s' });
    expect(fields[4]).toMatchObject({ minimum: 1, placeholder: '' });
    expect(fields[8]?.help).toBe('One case.');
  });
});
