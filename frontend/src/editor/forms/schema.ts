/** From the JSON Schema of a node type to the fields of its form. */
export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  additionalProperties?: boolean | Schema;
  $ref?: string;
  $defs?: Record<string, Schema>;
}

/** `lines`: any value, as YAML. `node`: the nested node of a map. */
export type Kind = 'text' | 'number' | 'boolean' | 'choice' | 'lines' | 'names' | 'node';

export interface Field {
  name: string;
  label: string;
  kind: Kind;
  help: string;
  required: boolean;
  placeholder: string;
  choices: string[];
  minimum?: number | undefined;
  maximum?: number | undefined;
  /** A text that may hold `{{ }}`, or is one expression. */
  expressions: 'braces' | 'bare' | '';
}

/** The fields of `with`, required ones first. */
export function fieldsOf(schema: Schema): Field[] {
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(([name, one]) =>
    fieldOf(name, resolved(one, schema), required.has(name)),
  );
  return fields.sort((a, b) => Number(b.required) - Number(a.required));
}

function fieldOf(name: string, schema: Schema, required: boolean): Field {
  const options = plain(schema);
  const kind = name === 'do' && isObject(options) ? 'node' : kindOf(options);
  const shown =
    schema.default ?? options.map((one) => one.examples?.[0]).find((one) => one != null);
  return {
    name,
    label: schema.title ?? name,
    kind,
    help: schema.description ?? options.map((one) => one.description).find(Boolean) ?? '',
    required,
    placeholder: shown == null || typeof shown === 'object' ? '' : String(shown),
    choices: kind === 'choice' ? (options.find((one) => one.enum)?.enum ?? []).map(String) : [],
    minimum: options.find((one) => one.minimum !== undefined)?.minimum,
    maximum: options.find((one) => one.maximum !== undefined)?.maximum,
    expressions: kind === 'text' || kind === 'lines' ? 'braces' : '',
  };
}

/** What a value may be, null left out. */
function plain(schema: Schema): Schema[] {
  const options = schema.anyOf ?? schema.oneOf ?? [schema];
  return options.filter((one) => one.type !== 'null');
}

const isObject = (options: Schema[]): boolean => options.some((one) => one.type === 'object');

function kindOf(options: Schema[]): Kind {
  const [only] = options;
  if (options.some((one) => one.enum)) return options.length === 1 ? 'choice' : 'text';
  if (options.every((one) => one.type === 'boolean')) return 'boolean';
  if (options.every((one) => one.type === 'integer' || one.type === 'number')) return 'number';
  // A duration is a text or a number of seconds: both are written in one line.
  if (options.every((one) => ['string', 'integer', 'number'].includes(String(one.type))))
    return 'text';
  if (options.length === 1 && only && only.type === undefined && !only.properties) return 'lines';
  return 'lines';
}

function resolved(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name ? { ...root.$defs?.[name], ...schema } : schema;
}
