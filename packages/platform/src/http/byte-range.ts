/** `Range: bytes=…` of a request, against what there is to read. */

export interface Span {
  readonly start: number
  /** The last byte, inclusive. */
  readonly end: number
}

/** The span that a Range header asks of `size` bytes; null when it asks for everything, `unsatisfiable` when it begins behind the end. */
export function readRange(header: string | undefined, size: number): Span | null | 'unsatisfiable' {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? []
  if (!first && !last) return null
  if (!first) return size === 0 || last === '0' ? 'unsatisfiable' : { start: Math.max(size - Number(last), 0), end: size - 1 }
  const start = Number(first)
  const end = last ? Math.min(Number(last), size - 1) : size - 1
  return start >= size || start > end ? 'unsatisfiable' : { start, end }
}
