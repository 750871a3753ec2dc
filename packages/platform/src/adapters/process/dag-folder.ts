/** Watches a folder of DAG files and keeps the store of DAGs as the files say. Files are read in a process apart. */
import { type FSWatcher, watch } from 'node:fs'
import { glob, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, messageOf } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import type { Events } from '../../core/events.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import type { Service } from '../../core/service.ts'
import type { DagFileReading, DagStore } from '../../scheduling/dag.ts'
import { timetable } from '../../scheduling/timetable.ts'
import type { FromLoader } from './dag-loader.ts'
import { type FileStamps, fileStamp, hasChanged } from './file-stamp.ts'
import { LoaderProcess } from './loader-process.ts'

export interface DagFolderOptions {
  readonly folder: string
  readonly dags: DagStore
  readonly clock: Clock
  readonly events: Events
  readonly logger?: Logger
  /** Whether a DAG that is seen for the first time waits to be unpaused. Default true, as in Airflow. */
  readonly dagsArePausedAtCreation?: boolean
  /** A file that takes longer to read is given up. Default 30 s. */
  readonly fileTimeoutMs?: number
  /** How often the folder is looked through even when nothing was heard of it. Default 5 s. */
  readonly rescanMs?: number
  /** Called when the store has something new. */
  readonly onChange?: () => void
}

interface KnownFile {
  /** Of the file and of everything that it imports. */
  readonly stamps: FileStamps
  readonly dagIds: readonly string[]
  readonly hasError: boolean
}

/** Editors write a file in several steps: the scan waits until they are through. */
const SETTLE_MS = 40

export class DagFolder implements Service {
  readonly #options: DagFolderOptions
  readonly #logger: Logger
  readonly #known = new Map<string, KnownFile>()
  #watcher: FSWatcher | null = null
  #isStopped = true
  #wakeUp = new AbortController()
  #hasChanged = false
  #loop: Promise<void> | null = null
  #loader: LoaderProcess | null = null

  constructor(options: DagFolderOptions) {
    this.#options = options
    this.#logger = options.logger ?? silentLogger
  }

  /** Resolves when every file has been read once. Throws `invalid` when the folder cannot be read. */
  async start(): Promise<void> {
    if (!this.#isStopped) return
    const { folder } = this.#options
    if (!(await stat(folder).catch(() => null))?.isDirectory()) {
      throw new AppError('invalid', `The DAGs folder "${folder}" is not a folder. Create it, or set another.`)
    }
    this.#isStopped = false
    try {
      this.#watcher = watch(folder, { recursive: true }, () => this.#heard())
      // The system may be out of watches: looking through the folder now and then goes on.
      this.#watcher.on('error', (error) => this.#logger.warn('The DAGs folder cannot be watched.', { error: messageOf(error) }))
    } catch (error) {
      this.#logger.warn('The DAGs folder cannot be watched.', { error: messageOf(error) })
    }
    await this.#forgetMissingFiles()
    await this.scan()
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#watcher?.close()
    this.#loader?.kill()
    this.#wakeUp.abort()
    await this.#loop
  }

  /** Reads every file that is new or has changed, or whose imports have. Answers how many it has read. */
  async scan(): Promise<number> {
    const files = await this.#list()
    const present = new Set(files)
    const gone = [...this.#known.keys()].filter((file) => !present.has(file))
    for (const file of gone) {
      this.#known.delete(file)
      await this.#options.dags.forgetFile(file)
    }
    const isNew = new Set(files.filter((file) => this.#isNew(file)))
    // A file in error may have waited for just this change: of a file that it could not find, or whose DAG id it wanted.
    const changed = isNew.size + gone.length === 0 ? [] : files.filter((file) => isNew.has(file) || this.#known.get(file)?.hasError)
    if (changed.length > 0) await this.#read(changed)
    if (changed.length + gone.length > 0) this.#options.onChange?.()
    return changed.length
  }

  #heard(): void {
    this.#hasChanged = true
    this.#wakeUp.abort()
  }

  async #run(): Promise<void> {
    const { clock, rescanMs = 5_000 } = this.#options
    while (!this.#isStopped) {
      if (!this.#hasChanged) await clock.sleep(rescanMs, this.#wakeUp.signal)
      this.#wakeUp = new AbortController()
      if (this.#hasChanged && !this.#isStopped) await clock.sleep(SETTLE_MS)
      this.#hasChanged = false
      if (this.#isStopped) return
      await this.scan().catch((error: unknown) => this.#logger.error('The DAGs folder could not be read.', { error: messageOf(error) }))
    }
  }

  async #list(): Promise<string[]> {
    const files: string[] = []
    const exclude = (name: string) => /(^|[\\/])(node_modules|\.[^\\/]+)$/.test(name)
    for await (const file of glob('**/*.ts', { cwd: this.#options.folder, exclude })) {
      if (!/\.(test|d)\.ts$/.test(file)) files.push(file)
    }
    return files.sort()
  }

  #isNew(file: string): boolean {
    const known = this.#known.get(file)
    return !known || hasChanged(known.stamps)
  }

  /** Reads `files` in one process; when one of them hangs it or ends it, the next goes on in a new one. */
  async #read(files: readonly string[]): Promise<void> {
    const { folder, fileTimeoutMs = 30_000 } = this.#options
    let loader = null as LoaderProcess | null
    for (const file of files) {
      if (this.#isStopped) break
      const path = join(folder, file)
      const source = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error)
      // Gone since it was listed, or a folder of that name.
      if (source instanceof Error && (source.code === 'ENOENT' || source.code === 'EISDIR')) continue
      if (source instanceof Error) {
        const error = { line: null, message: `${source.message}. Let the platform read it.`, trace: source.stack ?? source.message }
        await this.#keep(file, '', { file, stamps: { [path]: fileStamp(path) }, error })
        continue
      }
      loader = loader?.isAlive ? loader : new LoaderProcess()
      this.#loader = loader
      const answer = await loader.read(path, fileTimeoutMs)
      // A file whose reading `stop` has broken off has no error.
      if (this.#isStopped) break
      await this.#keep(file, source, answer)
    }
    loader?.kill()
    this.#loader = null
  }

  async #keep(file: string, source: string, answer: FromLoader): Promise<void> {
    const { dags, clock, events, dagsArePausedAtCreation = true } = this.#options
    const reading = this.#check(file, source, answer)
    const dagIds = 'documents' in reading ? reading.documents.map(({ dagId }) => dagId) : []
    this.#known.set(file, { stamps: answer.stamps, dagIds, hasError: 'error' in reading })
    await dags.saveReading(reading, clock.now().toISOString(), dagsArePausedAtCreation)
    const error = 'error' in reading ? reading.error : null
    events.emit('dag_file.changed', 'system', { file, dagIds, line: error?.line ?? null, error: error?.message ?? null })
    if (error) this.#logger.warn(`DAG file ${file}${error.line === null ? '' : `:${error.line}`} cannot be read. ${error.message}`)
  }

  /** What only the folder as a whole, or the timetables, can say is wrong. */
  #check(file: string, source: string, answer: FromLoader): DagFileReading {
    if ('error' in answer) return { file, error: answer.error }
    const problems: string[] = []
    for (const { dagId, schedule, timezone } of answer.documents) {
      const other = [...this.#known].find(([name, { dagIds }]) => name !== file && dagIds.includes(dagId))
      if (other) problems.push(`DAG "${dagId}" is already defined in ${other[0]}. Give one of them another id.`)
      try {
        timetable(schedule, timezone)
      } catch (error) {
        problems.push(`DAG "${dagId}" cannot be scheduled. ${messageOf(error)}`)
      }
    }
    if (problems.length === 0) return { file, source, documents: answer.documents }
    const message = problems.join('\n')
    return { file, error: { line: null, message, trace: `${file}: ${message}` } }
  }

  /** Files that went away while nobody looked. */
  async #forgetMissingFiles(): Promise<void> {
    const { dags } = this.#options
    const files = new Set(await this.#list())
    const remembered = [...(await dags.list()), ...(await dags.importErrors())].map(({ file }) => file)
    for (const file of new Set(remembered)) if (!files.has(file)) await dags.forgetFile(file)
  }
}
