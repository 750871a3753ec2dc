/** How lists are asked for, whatever they are of: a page, an order, bounds. */

export interface Page {
  readonly limit: number
  readonly offset: number
}

/** One criterion of an order; the next one decides where this one ties. */
export interface Sort<Column extends string> {
  readonly by: Column
  readonly descending: boolean
}

/** Each bound that is given must hold. Instants are ISO strings in UTC. */
export interface Range<Value> {
  readonly gte?: Value | undefined
  readonly gt?: Value | undefined
  readonly lte?: Value | undefined
  readonly lt?: Value | undefined
}

/** Which texts are found. */
export interface TextFilter {
  /**
   * What they have anywhere, as SQL's LIKE: `%` is any text, `_` any character, `a | b` either, and a backslash in front takes a
   * wildcard as itself; case does not count.
   */
  readonly like?: string | undefined
  /** How they begin; case counts. */
  readonly prefix?: string | undefined
}
