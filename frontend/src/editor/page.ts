/** What the page hands to the editor, and the answers of its addresses. */
import type { Schema } from './forms/schema';

export interface PageData {
  source: string;
  workspace: string;
  /** Number of the current version. */
  published: number | null;
  name: string | null;
  api: string;
  create: string;
  id: number | null;
  revision: number;
  urls: Partial<Record<'page' | 'save' | 'publish' | 'start', string>>;
}

export interface NodeType {
  name: string;
  title: string;
  summary: string;
  schema: Schema;
}

/** The draft as somebody else left it. */
export interface Theirs {
  source: string;
  revision: number;
  by: string;
  at: string | null;
}
