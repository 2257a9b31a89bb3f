/** Talking to the server below the session of the page: JSON in, JSON out, refusals as errors. */

/** The server said no; `body` is what it said. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: Record<string, unknown>,
  ) {
    super(String(body.detail ?? `The server answered ${status}.`));
  }
}

/** The session has ended, or the server is away; what is on the page stays there. */
export class Away extends Error {}

const csrf = (): string =>
  document.querySelector<HTMLInputElement>('input[name=csrfmiddlewaretoken]')?.value ?? '';

export interface Call {
  method?: string;
  /** Sent as JSON, or as a form when it is FormData. */
  body?: unknown;
  workspace?: string;
  signal?: AbortSignal | undefined;
}

/** One call; raises Refused and Away. */
export async function call<T>(address: string, options: Call = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-CSRFToken': csrf() };
  if (options.workspace) headers['X-Celesta-Workspace'] = options.workspace;
  const form = options.body instanceof FormData;
  if (options.body !== undefined && !form) headers['Content-Type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(address, {
      method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
      headers,
      body: form
        ? (options.body as FormData)
        : options.body === undefined
          ? null
          : JSON.stringify(options.body),
      credentials: 'same-origin',
      signal: options.signal ?? null,
    });
  } catch (reason) {
    if (options.signal?.aborted) throw reason;
    throw new Away('The server cannot be reached. Nothing is lost; try again.');
  }
  if (answer.redirected)
    throw new Away('You are signed out. Sign in again in another tab, then try again here.');
  const json = (answer.headers.get('Content-Type') ?? '').includes('json');
  const body: unknown = json ? await answer.json() : {};
  if (!answer.ok) throw new Refused(answer.status, body as Record<string, unknown>);
  return body as T;
}

/** Pages of a list that are read at most: nobody chooses from more than that. */
const PAGES = 50;

/** All rows of a list, page by page; of one that breaks off, what came before. */
export async function all<T>(address: string, workspace: string): Promise<T[]> {
  const rows: T[] = [];
  let next: string | null = address;
  for (let page = 0; next && page < PAGES; page += 1) {
    const shown: { results?: T[]; next?: string | null } = await call<{
      results?: T[];
      next?: string | null;
    }>(next, { workspace }).catch(() => ({}));
    rows.push(...(shown.results ?? []));
    // The address may name another host than the page's, behind a proxy.
    next = shown.next ? address + new URL(shown.next, window.location.href).search : null;
  }
  return rows;
}

/** A form of texts, for the pages' own addresses. */
export function formOf(fields: Record<string, string | number>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
  return form;
}
