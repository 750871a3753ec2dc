/** The DAG files as they were last read: what they depend on, and which of them has which DAG. */
import { dirname, relative } from 'node:path'
import type { DagDocument } from '@daggerboard/dag'
import type { DagFile, DagFileReading } from '../../scheduling/dag.ts'
import { documentProblems } from '../../scheduling/document-problems.ts'
import type { FromLoader } from './dag-loader.ts'
import { quotedLine, quotedLines } from './quoted-line.ts'

export type KnownFile = Omit<DagFile, 'file'> & { readonly readAtMs: number }

export class KnownFiles {
  readonly #files = new Map<string, KnownFile>()
  /** DAG id → the file that has it. */
  readonly #owners = new Map<string, string>()

  get(file: string): KnownFile | undefined {
    return this.#files.get(file)
  }

  paths(): string[] {
    return [...this.#files.keys()]
  }

  /** Which file has which DAG id, as it is now. */
  owners(): ReadonlyMap<string, string> {
    return new Map(this.#owners)
  }

  remember(file: string, known: KnownFile): void {
    this.#files.set(file, known)
    for (const dagId of known.dagIds) this.#owners.set(dagId, file)
  }

  forget(file: string): KnownFile | undefined {
    const known = this.#files.get(file)
    this.#files.delete(file)
    for (const dagId of known?.dagIds ?? []) if (this.#owners.get(dagId) === file) this.#owners.delete(dagId)
    return known
  }

  /**
   * The reading of a file, with what only the folder as a whole, or the timetables, can say is wrong. Of two new files with the same DAG id the first by
   * name has it, whichever was read first; what another file has had `before` stays with it. Files that lose an id are added to `displaced`.
   */
  check(
    file: string,
    answer: Exclude<FromLoader, { isGone: true }>,
    before: ReadonlyMap<string, string>,
    displaced: string[],
  ): DagFileReading {
    if ('error' in answer) {
      const { line, message, trace } = answer.error
      return { file, error: { line, message, trace } }
    }
    const { source, documents } = answer
    let line: number | null = null
    const problems = documents.flatMap((document, index) => {
      const isAgain = documents.findIndex(({ dagId }) => dagId === document.dagId) < index
      const found = isAgain ? [twiceIn(source, document.dagId)] : this.#problemsOf(file, document, before, displaced)
      if (found.length > 0) line ??= quotedLine(source, document.dagId)
      return found
    })
    if (problems.length === 0) return { file, source, documents }
    const message = problems.join('\n')
    return { file, error: { line, message, trace: `${file}: ${message}` } }
  }

  #problemsOf(file: string, document: DagDocument, before: ReadonlyMap<string, string>, displaced: string[]): readonly string[] {
    const problems = documentProblems(document)
    const other = this.#owners.get(document.dagId)
    if (other === undefined || other === file) return problems
    if (file < other && before.get(document.dagId) !== other) {
      displaced.push(other)
      return problems
    }
    return [...problems, `DAG "${document.dagId}" is already defined in ${other}. Give one of them another id.`]
  }

  /** Folders outside of `folder` from which DAG files import. */
  importedFolders(folder: string): Set<string> {
    const paths = new Set([...this.#files.values()].flatMap(({ stamps }) => Object.keys(stamps ?? {})))
    return new Set([...paths].map(dirname).filter((each) => relative(folder, each).startsWith('..')))
  }
}

function twiceIn(source: string, dagId: string): string {
  const lines = quotedLines(source, dagId)
  const where = lines.length > 1 ? `, in the lines ${lines.join(' and ')}` : ''
  return `DAG "${dagId}" is defined more than once in this file${where}. Give each its own id.`
}
