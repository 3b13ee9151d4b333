import { WorkerEntrypoint } from "cloudflare:workers";
import type { Result } from "./result.ts";
import { convert, type ConvertInput } from "./verbs.ts";

/** What other Workers call. */
export class Service extends WorkerEntrypoint {
  convert(input: ConvertInput): Result<number> {
    return convert(input);
  }

  // ###FINAL_MILE_PROMPT__METHODS###
  // One method a verb.
  // ###END_METHODS###
}

const respond = <T>(result: Result<T>): Response =>
  result.ok ? Response.json(result) : Response.json(result, { status: result.status });

export default {
  fetch(request) {
    const url = new URL(request.url);
    const query = (name: string): string => url.searchParams.get(name) ?? "";
    if (request.method === "GET" && url.pathname === "/v1/convert") {
      return respond(convert({ value: Number(query("value") || Number.NaN), from: query("from"), to: query("to") }));
    }
    // ###FINAL_MILE_PROMPT__ROUTES###
    // One route a verb.
    // ###END_ROUTES###
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler;
