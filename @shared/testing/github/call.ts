import { notFound, Refusal, type Access, type Principal, type Repository, type World } from "./world.ts";
import type { Permissions } from "./world.ts";

/** One request as a route's handler sees it. */
export interface Call {
  world: World;
  /** Where this server answers. */
  base: string;
  method: string;
  path: string;
  params: readonly string[];
  query: URLSearchParams;
  accept: string;
  body: Record<string, unknown>;
  principal: Principal | null;
  /** A file name for a throw-away git index. */
  scratch: () => string;
}

export interface Answer {
  status: number;
  /** JSON, unless `text` is given. */
  body?: unknown;
  text?: string;
  type?: string;
  headers?: Record<string, string>;
}

export type Handler = (call: Call) => Promise<Answer> | Answer;

export const param = (call: Call, index: number): string => call.params[index] ?? "";

/** The repository of a path that begins with owner and name, if the caller may see it, with what it may do there. */
export function repositoryOf(call: Call): { repository: Repository; may: Permissions } {
  const repository = call.world.repository(param(call, 0), param(call, 1));
  const may = repository === undefined ? null : call.world.permissionsIn(call.principal, repository);
  if (repository === undefined || may === null) throw notFound();
  return { repository, may };
}

export function need(may: Permissions, name: keyof Permissions, access: Access): void {
  const has = may[name];
  if (has === "write" || (has === "read" && access === "read")) return;
  if (has === undefined && access === "read") throw notFound();
  throw new Refusal(403, "Resource not accessible by integration");
}

/** A page of a list, with the Link header GitHub sends: by the repository's number, not by its name. */
export function page<T>(
  call: Call,
  items: readonly T[],
  path: string,
): { items: T[]; headers: Record<string, string> } {
  const perPage = Math.min(100, Math.max(1, whole(call.query.get("per_page"), 30)));
  const at = Math.max(1, whole(call.query.get("page"), 1));
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (to: number, rel: string): string => {
    const query = new URLSearchParams(call.query);
    query.set("page", String(to));
    return `<${call.base}${path}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(at > 1 ? [link(at - 1, "prev")] : []),
    ...(at < last ? [link(at + 1, "next"), link(last, "last")] : []),
    ...(at > 1 ? [link(1, "first")] : []),
  ];
  return {
    items: items.slice((at - 1) * perPage, at * perPage),
    headers: links.length === 0 ? {} : { link: links.join(", ") },
  };
}

/** A whole number, or what stands for what is none: GitHub takes nonsense here for absent. */
function whole(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}

export const oneOf = (text: string | null, allowed: readonly string[], otherwise: string): string => {
  const value = text ?? otherwise;
  if (!allowed.includes(value)) {
    throw new Refusal(422, "Validation Failed", { errors: [{ resource: "Issue", field: "state", code: "invalid" }] });
  }
  return value;
};
