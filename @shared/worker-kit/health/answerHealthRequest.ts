import { fail, HEALTH_CHECK_PATHS, MAX_HEALTH_RESULT_BYTES, problemOf, type Failed } from "@shared/contracts";
import { boundedText } from "../boundedText.ts";
import { readJson } from "../readJson.ts";
import type { HealthDoors } from "./HealthDoors.ts";
import { refuseUnsigned } from "./signature.ts";

/**
 * So many requests a minute and isolate, of those who sign and of those who do not apart: who comes without a signature,
 * however often, takes no place of who has one.
 */
const RATE = { burst: 60, perMinute: 60 } as const;

class Bucket {
  #tokens: number = RATE.burst;
  #at = 0;

  take(now: number): boolean {
    const refilled = Math.min(RATE.burst, this.#tokens + (Math.max(0, now - this.#at) / 60_000) * RATE.perMinute);
    this.#tokens = refilled >= 1 ? refilled - 1 : refilled;
    this.#at = now;
    return refilled >= 1;
  }
}
const signers = new Bucket();
const strangers = new Bucket();

export interface HealthRequestOptions {
  doors: HealthDoors;
  secret: string | undefined;
  now: () => Date;
  /** Keeps the Worker alive until the work is done. */
  background: (work: Promise<unknown>) => void;
}

/** The text of a signed request's body, within bounds, and proof of who sent it. */
export async function readSigned(
  request: Request,
  { secret, now }: Pick<HealthRequestOptions, "secret" | "now">,
): Promise<{ ok: true; body: string } | Failed> {
  const hasBody = request.method === "POST";
  const bytes = hasBody ? await bodyOf(request) : "";
  const { pathname, search } = new URL(request.url);
  const signed = { method: request.method, path: `${pathname}${search}`, body: bytes ?? "" };
  const refusal =
    bytes === null
      ? fail("BODY_TOO_LARGE", `at most ${MAX_HEALTH_RESULT_BYTES} bytes`)
      : refuseUnsigned(secret, request.headers, signed, now());
  if (!(refusal === null ? signers : strangers).take(now().getTime())) {
    return fail("RATE_LIMITED", `at most ${RATE.perMinute} requests a minute`);
  }
  return refusal ?? { ok: true, body: signed.body };
}

/** Null: it is larger than a result may be. */
const bodyOf = async (request: Request): Promise<string | null> =>
  Number(request.headers.get("content-length") ?? 0) > MAX_HEALTH_RESULT_BYTES
    ? null
    : boundedText(request, MAX_HEALTH_RESULT_BYTES);

/** A signed body's JSON; the same refusals as every other door's. */
export const parseSigned = (body: string, type: string | null) =>
  readJson(
    new Request("https://signed/", {
      method: "POST",
      body,
      headers: type === null ? {} : { "content-type": type },
    }),
    { maxBytes: MAX_HEALTH_RESULT_BYTES },
  );

/**
 * Answers a request to one of a Worker's `/health-check/` doors: `POST execute`, `GET status|quick|result`. Null where
 * it is to none of them. Who asks must have signed; no cookie and no token counts here.
 */
export async function answerHealthRequest(request: Request, options: HealthRequestOptions): Promise<Response | null> {
  const { pathname, searchParams } = new URL(request.url);
  const { doors } = options;
  const known: Record<string, "GET" | "POST"> = {
    [HEALTH_CHECK_PATHS.execute]: "POST",
    [HEALTH_CHECK_PATHS.status]: "GET",
    [HEALTH_CHECK_PATHS.quick]: "GET",
    [HEALTH_CHECK_PATHS.result]: "GET",
  };
  const method = known[pathname];
  if (method === undefined) return null;
  if (request.method !== method) return refuse(fail("METHOD_NOT_ALLOWED", `${request.method} is not among ${method}`));
  const read = await readSigned(request, options);
  if (!read.ok) return refuse(read);
  switch (pathname) {
    case HEALTH_CHECK_PATHS.quick:
      return tell(doors.quick());
    case HEALTH_CHECK_PATHS.status:
      return tell(doors.status());
    case HEALTH_CHECK_PATHS.result:
      return tell(doors.result(Object.fromEntries(searchParams)));
    default: {
      const parsed = await parseSigned(read.body, request.headers.get("content-type"));
      if (!parsed.ok) return refuse(parsed);
      const accepted = doors.accept(parsed.value);
      if (!accepted.ok) return refuse(accepted);
      const { run, worker_check_uuid } = accepted;
      options.background(run());
      return Response.json({ ok: true, worker_check_uuid, delivered: false }, { status: 202 });
    }
  }
}

const tell = (result: { ok: true } | Failed): Response =>
  result.ok ? Response.json(result, { headers: { "cache-control": "no-store" } }) : refuse(result);

function refuse({ error }: Failed): Response {
  const document = problemOf(error);
  return new Response(JSON.stringify(document), {
    status: document.status,
    headers: { "content-type": "application/problem+json; charset=utf-8", "cache-control": "no-store" },
  });
}
