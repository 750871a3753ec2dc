/** Operators of which some args come from the elements of a mapped task. */
import type { MappedOperator, Operator } from './operator.ts'

/**
 * An operator with some of its args; those that are missing come from `expand`.
 *
 * @example
 * task('load', partial(loadTable, { dataset: 'shop_{{ ds_nodash }}' }), { expand: { file: files } })
 */
export function partial<Args extends object, Output, Known extends Partial<Args>>(
  make: (args: Args) => Operator<unknown, Output> | Operator<never, Output>,
  known: Known,
): MappedOperator<Readonly<Omit<Args, keyof Known>>, Output> {
  return {
    name: nameOf(make, known),
    args: known as Readonly<Record<string, unknown>>,
    make: make as MappedOperator<unknown, Output>['make'],
  }
}

/** Operators are plain, so making one with the args at hand only asks for its name; one that cannot be made so has the name of its function. */
function nameOf(make: (args: never) => { readonly name: string }, known: object): string {
  try {
    return make(known as never).name
  } catch {
    return make.name || 'Mapped'
  }
}
