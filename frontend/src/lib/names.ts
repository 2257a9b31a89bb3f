/** What a node may be called, as the server's documents say it. */
export const NODE_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/;

/** A name like `wanted` that is not `taken`: `fetch`, `fetch_2`, `fetch_3`. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const base = wanted.replace(/[^a-zA-Z0-9_]+/g, '_').replace(/^(?=\d)/, '_') || 'node';
  let name = base.slice(0, 95);
  for (let number = 2; taken.has(name) || name === 'end'; number += 1)
    name = `${base.slice(0, 95)}_${number}`;
  return name;
}
