// Requests to the study's own routes on the same origin.
import type { Say } from "./texts";

export interface Answer {
  /** HTTP status; 0 when no trustworthy answer came (offline, server down, a proxy's page). */
  status: number;
  body: Record<string, any>;
  /** The status of a page that came in place of an answer. */
  refused?: number;
}

export const TOO_LARGE = 413;
const NOTHING: Answer = { status: 0, body: {} };

export class Api {
  private readonly headers: Record<string, string>;

  /** `owner`: the participant of the page; another may have come in by this browser since, whose cookie goes along. */
  constructor(
    private readonly prefix: string,
    owner: string,
  ) {
    this.headers = owner ? { "study-participant": owner } : {};
  }

  /** A raw POST, for answers that are streamed. Rejects when the server cannot be reached. */
  stream(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    return fetch(this.prefix + path, {
      method: "POST",
      credentials: "same-origin",
      headers: { ...this.headers, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
  }

  async post(path: string, body: unknown, timeoutMs = 15000): Promise<Answer> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      return await readAnswer(await this.stream(path, body, abort.signal));
    } catch {
      return NOTHING;
    } finally {
      clearTimeout(timer);
    }
  }

  async get(path: string): Promise<Answer> {
    try {
      const how: RequestInit = { credentials: "same-origin", cache: "no-store", headers: this.headers };
      return await readAnswer(await fetch(this.prefix + path, how));
    } catch {
      return NOTHING;
    }
  }

  /** Survives the page; no one reads the answer. */
  farewell(path: string, json: string): void {
    void fetch(this.prefix + path, {
      method: "POST",
      credentials: "same-origin",
      headers: { ...this.headers, "content-type": "application/json" },
      body: json,
      keepalive: true,
    }).catch(() => undefined);
  }
}

/**
 * A page in place of JSON (a restarting server, a proxy) counts as no answer; but that a request is too long is believed
 * from any sender: it would be as long the next time.
 */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status } = response;
  try {
    const body = await response.json();
    if (typeof body !== "object" || body === null || status >= 500) return { status: 0, body: body ?? {} };
    return { status, body };
  } catch {
    return status === TOO_LARGE ? { status, body: {} } : { ...NOTHING, refused: status };
  }
}

/** What is said where an answer is not the one that was hoped for; `otherwise` where it brings no words. */
export function whyNot({ status, body }: Answer, say: Say, otherwise: string): string {
  return body["error"] ?? (status === TOO_LARGE ? say("too_large") : otherwise);
}

/** The JSON values of a stream of lines, as they arrive. */
export async function* jsonLines(response: Response): AsyncGenerator<Record<string, any>> {
  let rest = "";
  for await (const text of textChunks(response)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim()) yield JSON.parse(line);
  }
  if (rest.trim()) yield JSON.parse(rest);
}

export async function* textChunks(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    yield decoder.decode(value, { stream: true });
  }
}
