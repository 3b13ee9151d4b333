import { WorkerEntrypoint } from "cloudflare:workers";
import { CallerPropsSchema, fail, problemOf, type CallerProps, type Failed } from "@shared/contracts";
import { createLogger, type Logger } from "./logger.ts";

/** One RPC call as its method sees it. */
export interface RpcCall {
  /** The Worker that holds the binding, as the binding's `props` name it; never taken from a payload. */
  caller: string;
  requestId: string;
  log: Logger;
}

/**
 * What every RPC class of this house extends: who calls, a request id, a logger, and the promise that no error crosses
 * a binding as an exception.
 *
 * Everything here is an instance property on purpose. RPC reaches the methods of a class's prototype, `protected` or
 * not, and refuses instance properties: so a caller can reach none of this.
 */
export class BaseWorkerEntrypoint<Environment = Cloudflare.Env> extends WorkerEntrypoint<Environment, CallerProps> {
  protected readonly log: Logger = createLogger({ fields: { entrypoint: this.constructor.name } });

  protected mintRequestId: () => string = () => crypto.randomUUID();

  /** The caller's name, or null where the binding carries no valid props. */
  protected readonly caller = (): string | null => {
    const props = CallerPropsSchema.safeParse(this.ctx.props);
    return props.success ? props.data.caller : null;
  };

  /**
   * Runs one method's work. A binding without a caller is refused with UNAUTHENTICATED. Whatever the work throws is
   * logged and answered as INTERNAL: its text can name paths, queries or secrets, so none of it leaves. What had been
   * written by then is not known, so `nothingWritten` is null.
   */
  protected readonly answer = async <T>(method: string, work: (call: RpcCall) => Promise<T>): Promise<T | Failed> => {
    const caller = this.caller();
    if (caller === null) return unnamed();
    const requestId = this.mintRequestId();
    const log = this.log.child({ requestId, method, caller });
    try {
      return await work({ caller, requestId, log });
    } catch (error) {
      log.error("an RPC method threw", { error });
      return fail("INTERNAL", `${method} failed; the log holds the cause under request ${requestId}`, {
        nothingWritten: null,
      });
    }
  };

  /** Answers a `fetch` over the binding by the app behind it; one without a caller is refused as problem+json. */
  protected readonly serve = async (app: (caller: string) => Response | Promise<Response>): Promise<Response> => {
    const caller = this.caller();
    if (caller !== null) return app(caller);
    const problem = problemOf(unnamed().error);
    return Response.json(problem, {
      status: problem.status,
      headers: { "content-type": "application/problem+json" },
    });
  };
}

const unnamed = (): Failed => fail("UNAUTHENTICATED", "the binding does not name its caller: give it props {caller}");
