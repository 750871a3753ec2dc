/** Where an author's file says something. */

/** The first line of `source`, from 1, that has `text` as a string; null when none has it so. */
export function quotedLine(source: string, text: string): number | null {
  const index = source.split('\n').findIndex((line) => ["'", '"', '`'].some((quote) => line.includes(`${quote}${text}${quote}`)))
  return index < 0 ? null : index + 1
}
