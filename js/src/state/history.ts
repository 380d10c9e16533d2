/** What undo and redo go back to, up to a limit. */
export class History<T> {
  #past: T[] = [];
  #future: T[] = [];

  constructor(private readonly limit: number) {}

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** Notes what was there before a change. */
  push(before: T): void {
    this.#past.push(before);
    if (this.#past.length > this.limit) this.#past.shift();
    this.#future = [];
  }

  /** Forgets the latest note if it holds for what is there now: the change was taken back. */
  dropLatest(isNow: (before: T) => boolean): void {
    const latest = this.#past.at(-1);
    if (latest !== undefined && isNow(latest)) this.#past.pop();
  }

  undo(now: T): T | undefined {
    const then = this.#past.pop();
    if (then !== undefined) this.#future.push(now);
    return then;
  }

  redo(now: T): T | undefined {
    const then = this.#future.pop();
    if (then !== undefined) this.#past.push(now);
    return then;
  }

  clear(): void {
    this.#past = [];
    this.#future = [];
  }
}
