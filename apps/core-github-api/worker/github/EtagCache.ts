/** An answer as it was last seen, with the tag by which GitHub tells whether it still is that. */
export interface Tagged {
  etag: string;
  data: unknown;
  link: string | null;
  bytes: number;
}

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_ENTRY_BYTES = 1024 * 1024;
const MAX_ENTRIES = 500;

/**
 * Answers of one credential, the least recently used going first. None is ever given out without GitHub's word that it
 * still holds: a 304, which costs nothing of the rate limit.
 */
export class EtagCache {
  // A Map keeps insertion order, and each use moves its entry to the end.
  readonly #entries = new Map<string, Tagged>();
  #bytes = 0;

  get(key: string): Tagged | null {
    const entry = this.#entries.get(key);
    if (!entry) return null;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  put(key: string, entry: Tagged): void {
    this.delete(key);
    if (entry.bytes > MAX_ENTRY_BYTES) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= MAX_BYTES && this.#entries.size <= MAX_ENTRIES) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
