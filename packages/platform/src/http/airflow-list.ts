/** Orders and pages of lists that are short enough to be held as a whole: import errors, questions, aliases of assets. */
import type { Page, Sort } from '../core/list-query.ts'

export type Sortable = string | number | boolean | null

/** One page of `items` in the order of `sorts`; where all of them tie, things stay as they were. */
export function pageOfItems<Item, Column extends string>(
  items: readonly Item[],
  { limit, offset }: Page,
  sorts: readonly Sort<Column>[] | undefined,
  value: (item: Item, column: Column) => Sortable,
): Item[] {
  const sorted =
    (sorts ?? []).length === 0 ? items : items.toSorted((a, b) => compareBy(sorts ?? [], (column) => [value(a, column), value(b, column)]))
  return sorted.slice(offset, offset + limit)
}

function compareBy<Column extends string>(sorts: readonly Sort<Column>[], values: (column: Column) => [Sortable, Sortable]): number {
  for (const { by, descending } of sorts) {
    const [a, b] = values(by)
    const order = compare(a, b)
    if (order !== 0) return descending ? -order : order
  }
  return 0
}

/** Null comes first, as in the store. */
function compare(a: Sortable, b: Sortable): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  return a < b ? -1 : 1
}
