/** A child process that reads DAG files, one after the other, and says what is in them. It may hang or end: only it. */
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { pathToFileURL } from 'node:url'
import { type DagDocument, isDag } from '@daggerboard/dag'
import { followImports, importsOf, lineIn } from './dag-imports.ts'
import { type FileStamps, fileStamp } from './file-stamp.ts'
import { takeDefaults } from './node-child.ts'
import { PlatformChannel } from './platform-channel.ts'

export interface ToLoader {
  readonly file: string
}

export type FromLoader = { readonly file: string } & (
  | { readonly isGone: true }
  /** `stamps`: of the file and of what it imports, as they were when they were read. */
  | { readonly stamps: FileStamps; readonly source: string; readonly documents: readonly DagDocument[] }
  | { readonly stamps: FileStamps; readonly error: ReadingError }
)

interface ReadingError {
  readonly line: number | null
  readonly message: string
  readonly trace: string
  /** It was given up. */
  readonly isTimeout?: boolean
}

takeDefaults()
followImports()
// What comes after this is the authors', and changes too often to be kept compiled.
flushCompileCache()
delete process.env.NODE_COMPILE_CACHE
// What a file leaves behind that throws later says nothing about the file that is read then.
process.on('uncaughtException', () => {})
process.on('unhandledRejection', () => {})

const channel = new PlatformChannel(() => process.exit())
let reading = Promise.resolve()
channel.listen((messages) => {
  for (const { file } of messages as readonly ToLoader[]) reading = reading.then(() => answer(file))
  return true
})

/** Each answer is on its way before the next file begins: the platform takes the first without one for the culprit. */
async function answer(file: string): Promise<void> {
  channel.say([await read(file)])
}

async function read(file: string): Promise<FromLoader> {
  const stamp = fileStamp(file)
  let source: string
  try {
    source = readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message, stack } = error as NodeJS.ErrnoException
    // Gone since it was listed, or a folder of that name.
    if (code === 'ENOENT' || code === 'EISDIR') return { file, isGone: true }
    return {
      file,
      stamps: { [file]: stamp },
      error: { line: null, message: `${message}. Let the platform read it.`, trace: stack ?? message },
    }
  }
  const url = pathToFileURL(file).href
  try {
    const exported = Object.values((await import(url)) as Record<string, unknown>).flat()
    // One DAG may be exported under several names.
    const dags = new Set(exported.filter(isDag))
    return { file, stamps: importsOf(url), source, documents: [...dags].map(({ document }) => document) }
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    const trace = error instanceof Error ? (error.stack ?? message) : message
    return { file, stamps: importsOf(url), error: { line: lineIn(url, source, error), message, trace } }
  }
}
