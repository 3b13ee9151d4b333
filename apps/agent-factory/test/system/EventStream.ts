import { CustodyRecordSchema, type CustodyRecord } from "@shared/contracts";
import { z } from "zod";

/** A message of the stream has an `offset`; an answer to a request has the request's id instead. */
const MessageSchema = z.object({ type: z.string(), payload: z.unknown().optional(), requestId: z.string().optional() });
type Message = z.infer<typeof MessageSchema>;

/** A room's stream as a client sees it: every record is parsed as it comes, and can be waited for. */
export class EventStream {
  readonly records: CustodyRecord[] = [];
  readonly #answers: Message[] = [];
  readonly #socket: WebSocket;
  #waiting: (() => void)[] = [];
  #failure: Error | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Joined once the server has said so. */
  static async open(url: string, token: string, room: string): Promise<EventStream> {
    const address = new URL(`/ws?room=${encodeURIComponent(room)}`, url);
    address.protocol = "ws:";
    const stream = new EventStream(new WebSocket(address, ["vibehq", `bearer.${token}`]));
    await stream.#join();
    return stream;
  }

  /** The first record, come or coming, that fits. */
  first(fits: (record: CustodyRecord) => boolean): Promise<CustodyRecord> {
    return this.#waitFor(() => this.records.find(fits));
  }

  /** Asks the factory of the room's order for something; the answer is what came back under the request's id. */
  ask(type: string, requestId: string): Promise<Message> {
    this.#socket.send(JSON.stringify({ type, requestId }));
    return this.#waitFor(() => this.#answers.find((answer) => answer.requestId === requestId));
  }

  async #waitFor<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#socket.close();
  }

  #join(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.addEventListener("message", ({ data }) => {
        try {
          const message = MessageSchema.loose().parse(JSON.parse(String(data)));
          if (message.type === "connected") resolve();
          else if (message.requestId !== undefined) this.#answers.push(message);
          else this.records.push(CustodyRecordSchema.parse(message.payload));
        } catch (error) {
          this.#failure = error instanceof Error ? error : new Error(String(error));
          reject(this.#failure);
        }
        this.#wake();
      });
      this.#socket.addEventListener("close", ({ code }) => {
        this.#failure = new Error(`the socket was closed with ${code}`);
        reject(this.#failure);
        this.#wake();
      });
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
