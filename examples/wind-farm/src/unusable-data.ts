/** Data, or a file, that the wind farm cannot work with: said in sentences, all of them at once. */
export class UnusableData extends Error {
  override readonly name = 'UnusableData'

  constructor(subject: string, problems: readonly string[]) {
    super([subject, ...problems].join(' '))
  }

  static throwIfAny(subject: string, problems: readonly string[]): void {
    if (problems.length > 0) throw new UnusableData(subject, problems)
  }
}
