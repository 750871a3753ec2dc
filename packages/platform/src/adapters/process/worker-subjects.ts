/** What the jobs that run act as. A wait may be ending while its task goes on already, so they are counted. */
export class Subjects {
  readonly #counts = new Map<string, number>()

  has(subject: string): boolean {
    return this.#counts.has(subject)
  }

  begin(subject: string): void {
    this.#counts.set(subject, (this.#counts.get(subject) ?? 0) + 1)
  }

  end(subject: string): void {
    const others = (this.#counts.get(subject) ?? 1) - 1
    if (others > 0) this.#counts.set(subject, others)
    else this.#counts.delete(subject)
  }
}
