import { useCallback, useEffect, useState } from "react";

const PATIENCE = 10_000; // ms that an answer may take

/** What went wrong with a request: by `code`, and of a form by field in `errors`. */
export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: there was no answer
    readonly code: string,
    detail: string,
    readonly errors: Record<string, string[]> = {},
  ) {
    super(detail);
  }
}

/** Where Django's login page is, which leads back here. */
export function loginPath(): string {
  return `/accounts/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
}

export function logIn() {
  location.assign(loginPath());
}

/** Ask Django, by POST if there is something to send. Throws an `ApiError`; who is not logged in goes to log in. */
export async function api<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE);
  const options: RequestInit = { signal: signal ? AbortSignal.any([signal, patience]) : patience };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    options.body = JSON.stringify(body);
  }
  let response: Response;
  let content: unknown;
  try {
    response = await fetch(path, options);
    content = await response.json();
  } catch {
    signal?.throwIfAborted();
    throw new ApiError(0, "offline", "The server did not answer.");
  }
  if (response.ok) return content as T;
  if (response.status === 401) logIn();
  const { code, detail, errors } = content as {
    code?: string;
    detail?: string;
    errors?: Record<string, string[]>;
  };
  throw new ApiError(response.status, code ?? "", detail ?? `${path} answered ${response.status}.`, errors);
}

export function csrfToken(): string {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";
}

export interface Loaded<T> {
  data?: T;
  error?: ApiError;
  reload(): void;
}

/** What Django answers at a path, once it has; a change of the path asks anew. */
export function useData<T>(path: string): Loaded<T> {
  const [loaded, setLoaded] = useState<{ path: string; data?: T; error?: ApiError }>({ path });
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn asks again
  useEffect(() => {
    const leaving = new AbortController();
    api<T>(path, undefined, leaving.signal).then(
      (data) => setLoaded({ path, data }),
      (error) => leaving.signal.aborted || setLoaded({ path, error }),
    );
    return () => leaving.abort();
  }, [path, turn]);
  const reload = useCallback(() => {
    setLoaded(({ path, data }) => ({ path, data }));
    setTurn((turn) => turn + 1);
  }, []);
  return { ...(loaded.path === path ? loaded : {}), reload };
}
