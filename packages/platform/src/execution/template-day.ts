/** What `logical_date.date()` is in a template. */

interface Shown {
  strftime(format: string): string
  to_date_string(): string
}

/** The day of an instant: prints without its time. */
export class TemplateDay {
  readonly #of: Shown

  constructor(of: Shown) {
    this.#of = of
  }

  strftime(format: string): string {
    return this.#of.strftime(format)
  }

  isoformat(): string {
    return this.#of.to_date_string()
  }

  toString(): string {
    return this.isoformat()
  }

  toJSON(): string {
    return this.isoformat()
  }
}
