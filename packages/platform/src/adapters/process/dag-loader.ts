/** A child process that reads DAG files, one after the other, and says what is in them. It may hang or end: only it. */
import { pathToFileURL } from 'node:url'
import { type DagDocument, isDag } from '@daggerboard/dag'
import { followImports, importsOf, lineIn } from './dag-imports.ts'
import type { FileStamps } from './file-stamp.ts'

export type FromLoader = { readonly file: string /** The file and what it imports. */; readonly stamps: FileStamps } & (
  | { readonly documents: readonly DagDocument[] }
  | { readonly error: { readonly line: number | null; readonly message: string; readonly trace: string } }
)

followImports()
process.on('disconnect', () => process.exit())
// What a file leaves behind that throws later says nothing about the file that is read then.
process.on('uncaughtException', () => {})
process.on('unhandledRejection', () => {})

process.on('message', async ({ file }: { file: string }) => {
  const url = pathToFileURL(file).href
  let answer: FromLoader
  try {
    const exported = Object.values((await import(url)) as Record<string, unknown>).flat()
    const dags = new Map(exported.filter(isDag).map((dag) => [dag.id, dag.document]))
    answer = { file, stamps: importsOf(url), documents: [...dags.values()] }
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const trace = error instanceof Error ? (error.stack ?? message) : message
    answer = { file, stamps: importsOf(url), error: { line: lineIn(url, error), message, trace } }
  }
  process.send?.(answer)
})
