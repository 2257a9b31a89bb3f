/** What is wrong, as every door of Celesta tells it, and which node and field it is about. */
export interface Problem {
  code: string;
  path: string;
  message: string;
  hint: string;
  severity: 'error' | 'warning';
  line: number | null;
  column: number | null;
}

export interface Place {
  /** '' when it is about the document itself. */
  node: string;
  /** Names that lead to the field: `with.url`, `needs`, `with.do.with.url`; '' for the whole node. */
  field: string;
}

/** `nodes.pay.needs[0]` is about the field `needs` of the node `pay`. */
export function placeOf(path: string): Place {
  const parts = path
    .split(/\.|\[(\d+)\]/)
    .filter((part): part is string => !!part && !/^\d+$/.test(part));
  if (parts[0] !== 'nodes') return { node: '', field: parts.join('.') };
  return { node: parts[1] ?? '', field: parts.slice(2).join('.') };
}

/** The problems of a field and of whatever is in it. */
export function problemsAt(problems: readonly Problem[], node: string, field: string): Problem[] {
  return problems.filter((problem) => {
    const place = placeOf(problem.path);
    return place.node === node && (place.field === field || place.field.startsWith(`${field}.`));
  });
}

/** The problem of a published workflow whose text now has another name. */
export function misnamed(name: string, source: string): Problem {
  return {
    code: 'workflow_name_mismatch',
    path: 'workflow',
    message: `This workflow is published as '${name}'; its name cannot change.`,
    hint: `Write '${name}', or make a new workflow.`,
    severity: 'error',
    line: Math.max(1, source.split('\n').findIndex((one) => one.startsWith('workflow')) + 1),
    column: 1,
  };
}
