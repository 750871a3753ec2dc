/** Watches a folder of DAG files and keeps the store of DAGs as the files say. Files are read in processes apart. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Defaults } from '@daggerboard/dag/defaults'
import { AppError, messageOf } from '../../core/app-error.ts'
import type { Clock } from '../../core/clock.ts'
import type { Events } from '../../core/events.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import type { Service } from '../../core/service.ts'
import type { DagFile, DagFileReading, DagStore } from '../../scheduling/dag.ts'
import { DagFiles } from './dag-files.ts'
import type { FromLoader } from './dag-loader.ts'
import { StampsOfNow } from './file-stamp.ts'
import { FolderWatch } from './folder-watch.ts'
import type { IgnoreSyntax } from './ignore-file.ts'
import { KnownFiles } from './known-files.ts'
import { LoaderTeam } from './loader-team.ts'

export interface DagFolderOptions {
  readonly folder: string
  readonly dags: DagStore
  readonly clock: Clock
  readonly events: Events
  readonly logger?: Logger
  /** Whether a DAG that is seen for the first time waits to be unpaused, where it does not say. Default true, as in Airflow. */
  readonly dagsArePausedAtCreation?: boolean
  /** For what DAGs and tasks do not say themselves. */
  readonly defaults?: Partial<Defaults>
  /** A file that takes longer to read is given up. Default 30 s. */
  readonly fileTimeoutMs?: number
  /** How often the folder is looked through even when nothing was heard of it. Default 30 s. */
  readonly rescanMs?: number
  /** After how long a file is read again though nothing has changed; 0, the default, for never. */
  readonly rereadMs?: number
  /** Processes that read files side by side. Default 2. */
  readonly processes?: number
  readonly ignoreSyntax?: IgnoreSyntax
  /** Where modules of ours are kept compiled between the starts of those processes. */
  readonly compileCache?: string
  /** What else the reading of a file depends on: files that another version has read are read again. */
  readonly version?: string
  /** Called when the store has something new: which DAGs are new, other, or gone; without them, all may be. */
  readonly onChange?: (dagIds?: readonly string[]) => void
}

/** Editors write a file in several steps: the scan waits until they are through. */
const SETTLE_MS = 40
/** What has been read is kept together, so that many files take few commits, but nobody waits for long. */
const KEEP_MS = 200
const KEEP_FILES = 100
/** Code, ignore files, folders, and nothing that tasks write beside them. Empty: the system does not say what has changed. */
const MAY_MATTER = /\.([cm]?[jt]sx?|json)$|ignore$|^[^.]*$|^\.\.data/
/** How long a look through the folder holds up the next when it gets no answers. */
const PATIENCE_MS = 1_000
/** A slow machine may need that long for the first file. */
const START_PATIENCE_MS = 3_000

export class DagFolder implements Service {
  readonly #options: DagFolderOptions
  readonly #logger: Logger
  readonly #files: DagFiles
  #watch: FolderWatch
  #loaders: LoaderTeam
  /** What readings depend on beside the files. */
  readonly #reader: string
  readonly #known = new KnownFiles()
  #isStopped = true
  #wakeUp = new AbortController()
  #hasChanged = false
  #loop: Promise<void> | null = null
  /** Being read just now. */
  readonly #inFlight = new Set<string>()
  readonly #scans = new Set<Promise<unknown>>()
  /** How many files have been answered. */
  #answers = 0
  /** To be read although nothing has changed. */
  readonly #again = new Set<string>()
  /** Were given up; only a change of theirs can help. */
  readonly #hanging = new Set<string>()

  constructor(options: DagFolderOptions) {
    const { folder, logger = silentLogger, ignoreSyntax = 'glob', defaults = {}, version = '' } = options
    this.#options = options
    this.#logger = logger
    this.#files = new DagFiles(folder, ignoreSyntax, logger)
    this.#watch = new FolderWatch((name) => this.#heard(name), logger)
    this.#loaders = new LoaderTeam(options)
    this.#reader = JSON.stringify([version, defaults])
  }

  /**
   * Resolves when every file that is not known from an earlier start, or has changed since, has been read once; those that hang are read on behind.
   * Throws `invalid` when the folder cannot be read.
   */
  async start(): Promise<void> {
    if (!this.#isStopped) return
    const { folder, dags } = this.#options
    if (!(await stat(folder).catch(() => null))?.isDirectory()) {
      throw new AppError('invalid', `The DAGs folder "${folder}" is not a folder. Create it, or set another.`)
    }
    this.#isStopped = false
    this.#watch = new FolderWatch((name) => this.#heard(name), this.#logger)
    this.#loaders = new LoaderTeam(this.#options)
    this.#inFlight.clear()
    const doubtful: string[] = []
    for (const { file, ...known } of await dags.files()) {
      this.#known.remember(file, { ...known, readAtMs: this.#now() })
      if (known.hasError) doubtful.push(file)
    }
    await this.#patiently(this.scan(), START_PATIENCE_MS)
    // An error may have been the machine's. Not before now: those files may take long.
    for (const file of doubtful) this.#again.add(file)
    if (doubtful.length > 0) this.#heard('')
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#watch.close()
    this.#loaders.stop()
    this.#wakeUp.abort()
    await this.#loop
    await Promise.allSettled(this.#scans)
  }

  /** Reads every file that is new or has changed, or whose imports have. Answers how many it has read. */
  async scan(): Promise<number> {
    const { files, folders } = await this.#files.list()
    if (this.#isStopped) return 0
    this.#watch.set(folders)
    const present = new Set(files)
    const gone = this.#known.paths().filter((file) => !present.has(file))
    for (const file of gone) {
      const known = this.#known.forget(file)
      await this.#options.dags.forgetFile(file)
      this.#options.onChange?.(known?.hasError ? undefined : known?.dagIds)
    }
    await this.#forgetDeleted()
    const stamps = new StampsOfNow()
    const isNew = new Set(files.filter((file) => this.#isNew(file, stamps)))
    // A file in error may have waited for just this change: of a file that it could not find, or whose DAG id it wanted.
    const mayHaveWaited = isNew.size + gone.length === 0 ? [] : files.filter((file) => !isNew.has(file) && this.#mayMend(file))
    const changed = [...isNew, ...mayHaveWaited]
    const displaced = changed.length > 0 ? await this.#read(changed) : []
    if (displaced.length > 0) await this.#read(displaced)
    this.#watch.add(this.#known.importedFolders(this.#options.folder))
    return changed.length
  }

  /** A DAG that somebody has deleted comes back as long as its file has it: such a file is read again. */
  async #forgetDeleted(): Promise<void> {
    const kept = new Set((await this.#options.dags.files()).filter(({ stamps }) => stamps !== null).map(({ file }) => file))
    for (const file of this.#known.paths()) if (!kept.has(file) && !this.#inFlight.has(file)) this.#known.forget(file)
  }

  #heard(name: string): void {
    if (!MAY_MATTER.test(name)) return
    if (/\.ts$/.test(name)) this.#loaders.warmUp()
    this.#hasChanged = true
    this.#wakeUp.abort()
  }

  async #run(): Promise<void> {
    const { clock, rescanMs = 30_000 } = this.#options
    while (!this.#isStopped) {
      if (!this.#hasChanged) await clock.sleep(rescanMs, this.#wakeUp.signal)
      this.#wakeUp = new AbortController()
      if (this.#hasChanged && !this.#isStopped) await clock.sleep(SETTLE_MS)
      this.#hasChanged = false
      if (this.#isStopped) return
      await this.#patiently(this.scan(), PATIENCE_MS).catch((error: unknown) =>
        this.#logger.error('The DAGs folder could not be read.', { error: messageOf(error) }),
      )
      if (!this.#hasChanged) this.#loaders.coolDown()
    }
  }

  /** Waits for a scan, but no longer than it goes on with answers: a file that takes long is read on while others are looked at again. */
  async #patiently(scan: Promise<unknown>, patienceMs: number): Promise<void> {
    let isLate = false
    const ended = new AbortController()
    const done = scan.then(
      () => ended.abort(),
      (error: unknown) => {
        ended.abort()
        if (!isLate) throw error
        this.#logger.error('The DAGs folder could not be read.', { error: messageOf(error) })
      },
    )
    const kept = done.finally(() => {
      this.#scans.delete(kept)
      if (isLate) this.#heard('')
    })
    this.#scans.add(kept)
    for (let answers = -1; !ended.signal.aborted && answers !== this.#answers; ) {
      answers = this.#answers
      await Promise.race([kept, this.#options.clock.sleep(patienceMs, ended.signal)])
    }
    if (ended.signal.aborted) await kept
    else isLate = true
  }

  #mayMend(file: string): boolean {
    return this.#known.get(file)?.hasError === true && !this.#hanging.has(file) && !this.#inFlight.has(file)
  }

  #isNew(file: string, now: StampsOfNow): boolean {
    const { rereadMs = 0 } = this.#options
    if (this.#inFlight.has(file)) return false
    if (this.#again.delete(file)) return true
    const known = this.#known.get(file)
    if (!known?.stamps || known.reader !== this.#reader || now.areOther(known.stamps)) return true
    return rereadMs > 0 && this.#now() - known.readAtMs >= rereadMs
  }

  /** Answers the files that have lost a DAG id to one that comes before them. */
  async #read(files: readonly string[]): Promise<string[]> {
    const { folder } = this.#options
    const before = this.#known.owners()
    const displaced: string[] = []
    const nameOf = new Map(files.map((file) => [join(folder, file), file]))
    for (const file of files) this.#inFlight.add(file)
    let left = files.length
    let waiting: { file: string; answer: FromLoader }[] = []
    let keeping = Promise.resolve()
    let failure: unknown = null
    let timer: NodeJS.Timeout | undefined
    const keep = () => {
      clearTimeout(timer)
      timer = undefined
      const batch = waiting
      waiting = []
      keeping = keeping
        .then(() => this.#keep(batch, before, displaced))
        .catch((error: unknown) => {
          // What the store did not take is read again at the next look.
          for (const { file } of batch) this.#known.forget(file)
          failure ??= error
        })
    }
    await this.#loaders.read([...nameOf.keys()], (answer) => {
      const file = nameOf.get(answer.file)
      if (file === undefined || this.#isStopped) return
      this.#inFlight.delete(file)
      this.#answers += 1
      waiting.push({ file, answer })
      left -= 1
      if (waiting.length >= KEEP_FILES || left === 0) keep()
      else timer ??= setTimeout(keep, KEEP_MS)
    })
    keep()
    await keeping
    if (failure !== null) throw failure
    return displaced
  }

  async #keep(batch: readonly { file: string; answer: FromLoader }[], before: ReadonlyMap<string, string>, displaced: string[]) {
    const { dags, clock, events, dagsArePausedAtCreation = true, onChange } = this.#options
    const changed = new Set<string>()
    let hasMended = false
    const readings: (DagFileReading & Pick<DagFile, 'stamps' | 'reader'>)[] = []
    for (const { file, answer } of batch) {
      if ('isGone' in answer) continue
      const known = this.#known.forget(file)
      for (const dagId of known?.dagIds ?? []) changed.add(dagId)
      if ('error' in answer && answer.error.isTimeout) this.#hanging.add(file)
      else this.#hanging.delete(file)
      const reading = this.#known.check(file, answer, before, displaced)
      hasMended ||= known?.hasError === true && 'documents' in reading
      const dagIds = 'documents' in reading ? reading.documents.map(({ dagId }) => dagId) : []
      for (const dagId of dagIds) changed.add(dagId)
      const of = { stamps: answer.stamps, reader: this.#reader }
      this.#known.remember(file, { ...of, dagIds, hasError: 'error' in reading, readAtMs: this.#now() })
      readings.push({ ...reading, ...of })
    }
    if (readings.length === 0) return
    await dags.saveReadings(readings, clock.now().toISOString(), dagsArePausedAtCreation)
    for (const reading of readings) {
      const { file } = reading
      const error = 'error' in reading ? reading.error : null
      const dagIds = this.#known.get(file)?.dagIds ?? []
      events.emit('dag_file.changed', 'system', { file, dagIds, line: error?.line ?? null, error: error?.message ?? null })
      if (error) this.#logger.warn(`DAG file ${file}${error.line === null ? '' : `:${error.line}`} cannot be read. ${error.message}`)
    }
    // Which DAGs a file had before its error is in the store only.
    onChange?.(hasMended ? undefined : [...changed])
  }

  #now(): number {
    return this.#options.clock.now().getTime()
  }
}
