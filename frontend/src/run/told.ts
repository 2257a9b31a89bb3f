// What a message of the run's stream says about the states of nodes.

export interface StreamEvent {
  id: number;
  kind: string;
  scope: number | null;
  node: string | null;
  index: number | null;
  data: unknown;
}

const STATES = new Set([
  'pending',
  'ready',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'skipped',
  'upstream_failed',
  'cancelled',
]);
/** An attempt that was lost or handed back leaves its node ready. */
const MEANS: Record<string, string> = { lost: 'ready', handed_back: 'ready' };

/** The nodes of the run itself (not items of maps) that an event tells of, and their new state. */
export function told(event: StreamEvent): { nodes: (string | number)[]; state: string } | null {
  const state = MEANS[event.kind] ?? event.kind;
  if (event.scope !== 0 || !STATES.has(state)) return null;
  if (event.index !== null) return { nodes: [event.index], state };
  const members = (event.data as { nodes?: unknown } | null)?.nodes;
  return Array.isArray(members) ? { nodes: members as string[], state } : null;
}
