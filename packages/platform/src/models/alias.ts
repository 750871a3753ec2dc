/** Aliases: names that move from one version of a model to another, such as "champion". */
import { AppError } from '../core/app-error.ts'
import { MAX_ALIAS } from './limits.ts'

export interface Alias {
  readonly alias: string
  readonly version: number
}

/** Throws `invalid` when `alias` could be taken for a version, or is not a plain word. */
export function checkAlias(alias: string): void {
  const problem =
    alias === ''
      ? 'it is empty'
      : alias.length > MAX_ALIAS
        ? `it has ${alias.length} characters, and ${MAX_ALIAS} are allowed`
        : !/^[\w-]*$/.test(alias)
          ? 'it may hold only letters, digits, underscores and dashes'
          : /^v\d+$/i.test(alias) || alias.toLowerCase() === 'latest'
            ? 'it is reserved: it would read as a version'
            : null
  if (problem) throw new AppError('invalid', `Invalid alias name: '${alias}': ${problem}. Choose another, such as "champion".`)
}
