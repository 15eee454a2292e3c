import { newId } from "./ids";
import type { HistoryEntry, Notebook, NotebookHeader } from "./types";

/** A refusal by the server (RFC 9457), or status 0 when it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
  ) {
    super(detail || title);
    this.name = "Problem";
  }
}

const PAGE_SIZE = 200;

const notebookUrl = (id: string, rest = "") => `/api/notebooks/${encodeURIComponent(id)}${rest}`;

async function problemOf(response: Response): Promise<Problem> {
  const fallback = new Problem(response.status, response.statusText, `The server answered ${response.status}.`);
  if (!(response.headers.get("content-type") ?? "").includes("json")) return fallback;
  const body = (await response.json()) as { title?: string; detail?: string };
  return new Problem(response.status, body.title ?? fallback.title, body.detail ?? body.title ?? fallback.detail);
}

async function call(method: string, url: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (method !== "GET") headers["idempotency-key"] = newId(20);
  if (body !== undefined) headers["content-type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } catch {
    throw new Problem(0, "Not reachable", "The server cannot be reached.");
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function json<T>(method: string, url: string, body?: unknown): Promise<T> {
  const response = await call(method, url, body);
  return (await response.json()) as T;
}

export async function listNotebooks(trash: boolean): Promise<NotebookHeader[]> {
  const found: NotebookHeader[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
    if (trash) query.set("trash", "true");
    if (cursor !== null) query.set("cursor", cursor);
    const page: { notebooks: NotebookHeader[]; next_cursor: string | null } = await json(
      "GET",
      `/api/notebooks?${query}`,
    );
    found.push(...page.notebooks);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}

export const createNotebook = (name?: string) =>
  json<{ notebook_id: string; revision: number }>("POST", "/api/notebooks", name === undefined ? {} : { name });

export const renameNotebook = (id: string, name: string) =>
  json<{ revision: number }>("PUT", notebookUrl(id, "/name"), { name });

export async function deleteNotebook(id: string): Promise<void> {
  await call("DELETE", notebookUrl(id));
}

export async function undeleteNotebook(id: string): Promise<void> {
  await call("POST", notebookUrl(id, "/undelete"));
}

export const getNotebook = (id: string, revision?: number) =>
  json<Notebook>("GET", notebookUrl(id, revision === undefined ? "" : `?revision=${revision}`));

export async function getHistory(id: string, limit: number): Promise<HistoryEntry[]> {
  const page = await json<{ commits: HistoryEntry[] }>("GET", notebookUrl(id, `/history?limit=${limit}`));
  return page.commits;
}

export const getMe = () => json<{ user_id: string; store: string; version: string }>("GET", "/api/me");

/** The content of an output or of a long stdout, from the address that the server gave. */
async function content<T>(url: string, read: (response: Response) => Promise<T>): Promise<T> {
  const response = await call("GET", url);
  try {
    return await read(response);
  } catch {
    // The server closes the connection when it finds, on the way, that the stored bytes are damaged.
    throw new Problem(
      0,
      "Cut off",
      "The data broke off on the way: the connection failed, or what is stored is damaged. Run the cell again to make it anew.",
    );
  }
}

export const getText = (url: string) => content(url, (response) => response.text());

export const getBlob = (url: string) => content(url, (response) => response.blob());
