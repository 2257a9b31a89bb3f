/** Between the values of a document and the texts of a form. */
import { parse, stringify } from 'yaml';

/** A value as one writes it: texts as they are while that is clear, all else as YAML. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return asValue(value) === value ? value : JSON.stringify(value);
  return stringify(value, { lineWidth: 0 }).trimEnd();
}

/** The value of a text; raises the parser's error for what is no YAML. */
export function asValue(text: string): unknown {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  if (/^\{\{[\s\S]*\}\}$/.test(trimmed)) return trimmed;
  let value: unknown;
  try {
    value = parse(text, { merge: false });
  } catch (reason) {
    // A sentence with braces in it is no YAML, and clear all the same.
    if (!/^[[{"'|>&*!%@`-]/.test(trimmed) && !/^[\w.-]+:(\s|$)/m.test(trimmed)) return text;
    throw reason;
  }
  return value;
}

/** A number, or an expression, or whatever else was typed: the server says what is wrong with it. */
export function asNumber(text: string): unknown {
  const trimmed = text.trim();
  if (!trimmed) return undefined;
  return Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
}

export const asNames = (text: string): string[] | undefined => {
  const names = text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
  return names.length ? names : undefined;
};
