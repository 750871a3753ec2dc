/** A dataset: something with a name that nodes take and give, wherever it is kept. */

export interface Dataset {
  /** Throws when there is nothing to load. */
  load(): Promise<unknown>
  /** Throws when `value` is not of the dataset's kind. */
  save(value: unknown): Promise<void>
  exists(): Promise<boolean>
  /** One line for people: type and place. */
  describe(): string
}
