/** Template files: texts beside a DAG file, never outside of the DAGs folder. */
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { AppError } from '../core/app-error.ts'

export interface TemplatePlace {
  /** The DAGs folder. */
  readonly root: string
  /** Path of the DAG's file. */
  readonly dagFile: string
}

/** Reads a template by its path: beside the DAG's file, or in one of the folders of its search path. Throws `invalid` when it is in none. */
export function templateReader({ root, dagFile }: TemplatePlace, searchPath: readonly string[]): (path: string) => string {
  const beside = dirname(dagFile)
  const folders = [beside, ...searchPath.map((folder) => resolve(beside, folder))]
  return (path) => {
    for (const folder of folders) {
      const text = readInside(root, join(folder, path))
      if (text !== null) return text
    }
    const where = ['beside the DAG file', ...searchPath.map((folder) => `in "${folder}"`)].join(' or ')
    throw new AppError(
      'invalid',
      `The template file "${path}" is not there ${where}, inside of the DAGs folder. Put it there, or change the path.`,
    )
  }
}

/** Null when there is no such file, or when it lies elsewhere: also by way of a link. */
function readInside(root: string, path: string): string | null {
  try {
    const real = realpathSync(path)
    return real.startsWith(realpathSync(root) + sep) ? readFileSync(real, 'utf8') : null
  } catch {
    return null
  }
}
