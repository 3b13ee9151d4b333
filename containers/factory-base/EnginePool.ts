import type { Failed, Result } from "@shared/contracts";
import type { Engine } from "patch-engine";

export interface EnginePoolOptions<Held> {
  open: (id: string) => Promise<Result<{ held: Held }>>;
  /** What opening or closing threw; the workspace can be opened anew. */
  onCloseError: (id: string, error: unknown) => void;
  max: number;
}

interface Slot<Held> {
  opened: Promise<Result<{ held: Held }>>;
  uses: number;
  /** Called when the last use ends. */
  onIdle: (() => void) | null;
}

/**
 * Open engines by workspace id, each opened once, however many ask for it at the same time. More than `max` stay open
 * only while all of them are in use; else the one that was used least recently is closed.
 */
export class EnginePool<Held extends { engine: Engine }> {
  // A Map keeps insertion order, and each use moves its slot to the end: the first is the least recently used.
  readonly #slots = new Map<string, Slot<Held>>();
  readonly #closing = new Map<string, Promise<void>>();
  readonly #options: EnginePoolOptions<Held>;

  constructor(options: EnginePoolOptions<Held>) {
    this.#options = options;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Runs `work` on an open engine, which stays open until `work` has ended. */
  async use<T>(id: string, work: (held: Held) => Promise<T>): Promise<T | Failed> {
    // An engine that is still being closed must let go of its files before the next one reads them.
    for (let closing = this.#closing.get(id); closing; closing = this.#closing.get(id)) await closing;
    const slot = this.#slots.get(id) ?? { opened: this.#options.open(id), uses: 0, onIdle: null };
    this.#slots.delete(id);
    this.#slots.set(id, slot);
    slot.uses += 1;
    try {
      const opened = await slot.opened;
      if (!opened.ok) {
        this.#forget(id, slot);
        return opened;
      }
      return await work(opened.held);
    } catch (error) {
      if (await isRejected(slot.opened)) this.#forget(id, slot);
      throw error;
    } finally {
      slot.uses -= 1;
      if (slot.uses === 0) slot.onIdle?.();
      this.#closeLeastRecentlyUsed();
    }
  }

  /** Closes a workspace's engine once what runs on it has ended; later uses open it anew. */
  close(id: string): Promise<void> {
    const slot = this.#slots.get(id);
    if (!slot) return this.#closing.get(id) ?? Promise.resolve();
    this.#slots.delete(id);
    const closed = this.#closeSlot(id, slot).finally(() => this.#closing.delete(id));
    this.#closing.set(id, closed);
    return closed;
  }

  async closeAll(): Promise<void> {
    for (const id of this.#slots.keys()) void this.close(id);
    await Promise.all(this.#closing.values());
  }

  async #closeSlot(id: string, slot: Slot<Held>): Promise<void> {
    if (slot.uses > 0) {
      await new Promise<void>((resolve) => {
        slot.onIdle = resolve;
      });
    }
    try {
      const opened = await slot.opened;
      if (opened.ok) await opened.held.engine.close();
    } catch (error) {
      this.#options.onCloseError(id, error);
    }
  }

  #forget(id: string, slot: Slot<Held>): void {
    if (this.#slots.get(id) === slot) this.#slots.delete(id);
  }

  #closeLeastRecentlyUsed(): void {
    for (const [id, slot] of this.#slots) {
      if (this.#slots.size <= this.#options.max) return;
      if (slot.uses === 0) void this.close(id);
    }
  }
}

const isRejected = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => false,
    () => true,
  );
