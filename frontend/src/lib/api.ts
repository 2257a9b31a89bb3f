/** Talking to the server below the session of the page: JSON in, JSON out, refusals as errors. */

const KEPT = 'Nothing here is lost: try again, or copy the text from YAML.';
/** Answers that come without words, from whatever stands before us. */
const TOLD: Record<number, string> = {
  403: `You may not do this, or not any more. ${KEPT}`,
  404: `It is not there any more, or you may not see it. ${KEPT}`,
  413: `The document is too large for the server. ${KEPT}`,
  502: `The server is starting or away. ${KEPT}`,
  503: `The server is starting or away. ${KEPT}`,
};

/** The server said no; `body` is what it said. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: Record<string, unknown>,
  ) {
    super(String(body.detail ?? TOLD[status] ?? `The server answered ${status}. ${KEPT}`));
  }
}

/** The session has ended, or the server is away; what is on the page stays there. */
export class Away extends Error {}

const CSRF = 'input[name=csrfmiddlewaretoken]';
const csrf = (): string => document.querySelector<HTMLInputElement>(CSRF)?.value ?? '';

/** Signing in makes the token of an open page void: take the one that the page has now. */
async function renewed(): Promise<boolean> {
  const answer = await fetch(window.location.href, { credentials: 'same-origin' }).catch(
    () => null,
  );
  if (!answer?.ok || answer.redirected) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const token = fresh.querySelector<HTMLInputElement>(CSRF)?.value;
  const field = document.querySelector<HTMLInputElement>(CSRF);
  if (token && field) field.value = token;
  return Boolean(token && field);
}

export interface Call {
  method?: string;
  /** Sent as JSON, or as a form when it is FormData. */
  body?: unknown;
  workspace?: string;
  signal?: AbortSignal | undefined;
}

/** One call; raises Refused and Away. */
export async function call<T>(address: string, options: Call = {}): Promise<T> {
  const answer = await answerOf(address, options);
  // Django refuses a void token in HTML, before anything was done; we refuse in JSON.
  const renew = answer.status === 403 && !isJson(answer) && (await renewed());
  return told<T>(renew ? await answerOf(address, options) : answer);
}

const isJson = (answer: Response): boolean =>
  (answer.headers.get('Content-Type') ?? '').includes('json');

async function answerOf(address: string, options: Call): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-CSRFToken': csrf() };
  if (options.workspace) headers['X-Celesta-Workspace'] = options.workspace;
  const form = options.body instanceof FormData;
  if (options.body !== undefined && !form) headers['Content-Type'] = 'application/json';
  try {
    return await fetch(address, {
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
}

async function told<T>(answer: Response): Promise<T> {
  if (answer.redirected)
    throw new Away('You are signed out. Sign in again in another tab, then try again here.');
  const body: unknown = isJson(answer) ? await answer.json() : {};
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
