/** What becomes of a value between the task that answers it and the one that gets it: only JSON is kept. Types alone. */

/**
 * `Value` as it arrives: what has a `toJSON` (a `Date`) is what that answers, a map or set is empty, and a function is nothing. `undefined` stays as it
 * is: fields that are left out stay so, and of a task that answers nothing the input is null.
 */
export type Kept<Value> = unknown extends Value
  ? Value
  : Value extends { toJSON(...args: never): infer Json }
    ? Kept<Json>
    : Value extends ((...args: never) => unknown) | symbol | bigint
      ? never
      : Value extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
        ? Readonly<Record<string, never>>
        : Value extends object
          ? { [Name in keyof Value]: Kept<Value[Name]> }
          : Value
