import { CustodyRecordSchema, type CustodyRecord } from "@shared/contracts";
import { z } from "zod";

const MessageSchema = z.object({ type: z.string(), payload: z.unknown().optional() });

/** A room's stream as a client sees it: every record is parsed as it comes, and can be waited for. */
export class EventStream {
  readonly records: CustodyRecord[] = [];
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
  async first(fits: (record: CustodyRecord) => boolean): Promise<CustodyRecord> {
    for (;;) {
      const found = this.records.find(fits);
      if (found) return found;
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
          const message = MessageSchema.parse(JSON.parse(String(data)));
          if (message.type === "connected") resolve();
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
