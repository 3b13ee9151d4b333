import { fail, ProblemSchema, type Result } from "@shared/contracts";
import type { ClientOptions } from "./request.ts";
import { linesOf } from "./verifyReport.ts";

/** The records of an order's custody chains as they were hashed, one a line, while they come in. */
export async function readCustody(
  { url, token, fetch: send = fetch }: ClientOptions,
  orderId: string,
): Promise<Result<{ lines: AsyncIterable<string> }>> {
  const address = new URL("/api/patches/custody", url);
  address.searchParams.set("order_id", orderId);
  let response: Response;
  try {
    response = await send(address, {
      headers: {
        accept: "application/x-ndjson",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
  } catch {
    return fail("UNREACHABLE", `${address.origin} does not answer`);
  }
  if (response.ok && response.body !== null) return { ok: true, lines: linesOf(response.body) };
  const problem = ProblemSchema.safeParse(await response.json().catch(() => null));
  return problem.success
    ? { ok: false, error: problem.data.error }
    : fail("INTERNAL", `the export was answered with HTTP ${response.status}`);
}
