/** What runs in the host, and whether it still takes on more. */
export class Activity {
  #running = 0;
  #stopping = false;
  #onIdle: (() => void)[] = [];

  get running(): number {
    return this.#running;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Counts `work` as running until it has ended. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const settle of this.#onIdle.splice(0)) settle();
    }
  }

  /** From here on nothing new is taken on; settles when what runs has ended. */
  stop(): Promise<void> {
    this.#stopping = true;
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle.push(resolve);
    });
  }
}
