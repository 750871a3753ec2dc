/** Where an author's file says something. */

/** The first line of `source`, from 1, that has `text` as a string; null when none has it so. */
export const quotedLine = (source: string, text: string): number | null => quotedLines(source, text)[0] ?? null

/** All lines of `source`, from 1, that have it so. */
export const quotedLines = (source: string, text: string): number[] =>
  source
    .split('\n')
    .flatMap((line, index) => (["'", '"', '`'].some((quote) => line.includes(`${quote}${text}${quote}`)) ? [index + 1] : []))
