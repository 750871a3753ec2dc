/** The split into training and test rows: whole sessions, by a seed. */
import { groupedSplit } from '@daggerboard/boost'
import type { Table } from '@daggerboard/pipeline'
import { GROUP } from '../columns.ts'

export interface SplitParameters {
  /** The share of the rows that are for the test, nearly: sessions stay whole. */
  readonly test_ratio: number
  readonly seed: number
}

/** Answers `[training_rows, test_rows]`. */
export function splitRows(primary: Table, { test_ratio, seed }: SplitParameters): [Table, Table] {
  const { train, test } = groupedSplit(sessionsOf(primary), { testRatio: test_ratio, seed })
  return [primary.take(train), primary.take(test)]
}

export const sessionsOf = (table: Table): string[] => table.texts(GROUP).map((session) => session ?? '')
