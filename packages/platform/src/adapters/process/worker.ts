/** A warm worker: a process that runs tasks of DAG files, and asks the platform for what they need. */

import childProcess from 'node:child_process'
import { fstatSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { TaskDocument } from '@daggerboard/dag'
import { callbacksOf, callCallbacks } from '../../execution/callback.ts'
import { failureOutcome } from '../../execution/failure.ts'
import { type NextJob, NextJobs } from '../../execution/next-jobs.ts'
import type { DagFacts, TaskFacts } from '../../execution/task-facts.ts'
import type { TaskOutcome } from '../../execution/task-outcome.ts'
import { type Render, runTask, runTrigger, type TaskWork } from '../../execution/task-run.ts'
import type { JobWork, LeanFacts, ToWorker } from '../../execution/worker-protocol.ts'
import { authoredDag, authoredTask, newStamps } from './authored-dag.ts'
import { followImports, mayStillSpeak } from './dag-imports.ts'
import { takeDefaults } from './node-child.ts'
import { answered, channel, flush, Job, milliseconds, post, runner } from './worker-job.ts'
import { saysTaken } from './worker-taking.ts'

const jobs = new Map<number, Job>()
const next = new NextJobs<Waiting>()
/** Those of them that have taken an end. */
const beginning: Waiting[] = []
/** The platform has been told that it is to give no more. */
let isClosed = false
/** Something has thrown in it that no task under way is to blame for: it takes no more. */
let isTired = false
const dags = new Map<string, DagFacts>()
const tasks = new Map<string, TaskDocument>()
const isShared = Number(process.argv[2]) > 1
/** Which files its outputs are: a task may close them, or put others in their place. */
const streamsOf = (): string => {
  try {
    return [1, 2]
      .map((fd) => fstatSync(fd))
      .map(({ dev, ino }) => `${dev} ${ino}`)
      .join()
  } catch {
    return 'closed'
  }
}
const streams = streamsOf()
const dagsFolder = process.argv[3] ?? '.'
const { cwd, chdir } = process
const directory = cwd()

takeDefaults()
followImports()
channel.listen((batch) => {
  for (const message of batch as readonly ToWorker[]) hear(message)
  return true
})
for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, thrownLate)
for (const stream of [process.stdout, process.stderr]) {
  stream.write = ((text: string | Uint8Array, ...rest: unknown[]) => {
    speaker()?.log(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'))
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined
    done?.()
    return true
  }) as typeof stream.write
}
// Who ends the process is known, so that nobody else is blamed; and what was said before a long silence is heard before it.
const exit = process.exit.bind(process)
process.exit = ((code?: number) => {
  const own = runner.getStore()
  if (own && !own.hasEnded) post({ type: 'exits', job: own.id })
  flush()
  return exit(code)
}) as typeof process.exit
for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) {
  const original = childProcess[name] as (...args: unknown[]) => unknown
  Object.assign(childProcess, {
    [name]: (...args: unknown[]) => {
      flush()
      return original(...args)
    },
  })
}
syncBuiltinESMExports()
post({ type: 'ready' })

function hear(message: ToWorker): void {
  if (message.type === 'start') take(message)
  else if (message.type === 'withdraw') withdraw()
  else if (message.type === 'answer') answered(message)
  else if (message.type === 'abort') abort(message)
  else if (message.type === 'ping') post({ type: 'pong' })
  else if (message.type === 'dag') dags.set(message.dagId, message.dag)
  else tasks.set(`${message.dagId}/${message.task.taskId}`, message.task)
}

function abort({ job, reason, isCancelled }: Extract<ToWorker, { type: 'abort' }>): void {
  if (next.take(job)) post({ type: 'withdrawn', job })
  if (beginning.some((one) => one.job === job)) beginTaken()
  const found = jobs.get(job)
  if (!found) return
  found.isCancelled = isCancelled
  found.abort(new Error(reason))
}

function take({ job, file, work, heard }: Extract<ToWorker, { type: 'start' }>): void {
  const facts = work.facts && withDocuments(work.facts)
  if (saysTaken(job, heard !== undefined, jobs.size)) {
    post({ type: 'taken', job })
    // The task itself may let nothing else run.
    flush()
  }
  if (heard === undefined) begin({ job, heard: 0, file, work, facts })
  else beginNext(next.add({ job, heard, file, work, facts }))
  if (isClosed) withdraw()
}

/** It may let nothing else run for long: so that the end before it is heard first. */
function beginNext(waiting: Waiting | null): void {
  if (waiting && beginning.push(waiting) === 1) setImmediate(beginTaken)
}

function beginTaken(): void {
  const all = beginning.splice(0)
  if (all.length > 0) flush()
  for (const one of all) begin(one)
}

function withdraw(): void {
  for (const { job } of next.clear()) post({ type: 'withdrawn', job })
}

function begin({ job: id, file, work, facts }: Waiting): void {
  const job = new Job(id, pathToFileURL(file).href, isShared)
  jobs.set(id, job)
  void runner.run(job, () => perform(job, work, facts)).then((outcome) => finish(job, outcome))
}

/** A job with its documents, as they were when it was sent. */
interface Waiting extends NextJob {
  readonly file: string
  readonly work: JobWork
  readonly facts: TaskFacts | null
}

/** Documents are those that were the newest when the message came. */
function withDocuments(lean: LeanFacts): TaskFacts {
  const dag = dags.get(lean.dagId) as DagFacts
  const task = tasks.get(`${lean.dagId}/${lean.taskId}`) as TaskDocument
  return { ...lean, dag, task }
}

async function perform(job: Job, work: JobWork, facts: TaskFacts | null): Promise<TaskOutcome> {
  let known: TaskWork['task'] | null = null
  try {
    const dag = await authoredDag(job.url, facts?.dagId ?? (work.kind === 'call' ? work.about.dagId : ''))
    const stamps = newStamps(job.url)
    if (stamps) post({ type: 'read', job: job.id, stamps })
    if (work.kind === 'call') {
      const task = facts && authoredTask(dag, facts.taskId)
      await callCallbacks(callbacksOf(dag, task, work.which), { ...work.about, which: work.which }, facts, dag, job)
      return SUCCESS
    }
    if (!facts) return SUCCESS
    known = authoredTask(dag, facts.taskId)
    const whole: TaskWork = { dag, task: known, facts, inputs: work.inputs, host: job, render: renderIn(fileURLToPath(job.url)) }
    if (work.kind === 'run') return await runTask(whole)
    return { state: 'success', output: await runTrigger(whole, work.name, work.args), renderedFields: null }
  } catch (error) {
    return failureOutcome(error, known, job)
  }
}

const SUCCESS: TaskOutcome = { state: 'success', output: null, renderedFields: null }

/** Nunjucks is only loaded by workers that have something to render. */
const renderIn =
  (dagFile: string): Render =>
  async (args, facts, options) =>
    (await import('../../execution/task-template.ts')).renderArgs(args, facts, { ...options, files: { root: dagsFolder, dagFile } })

function finish(job: Job, outcome: TaskOutcome, wasThrown = false): void {
  if (job.hasEnded) return
  // Without them the next task could start no process.
  const isLast = wasThrown || isTired || streamsOf() !== streams
  if (isLast) isTired = true
  job.end()
  jobs.delete(job.id)
  const stamps = newStamps(job.url)
  post({
    type: 'done',
    job: job.id,
    outcome,
    startedAt: job.startedAt,
    endedAt: milliseconds(),
    ...(stamps && { stamps }),
    isLast,
    mayStillSpeak: mayStillSpeak(),
  })
  // Nobody begins after the last end: neither side counts it. Who has taken an end before begins, for the platform takes him for begun.
  isClosed ||= isLast
  if (isClosed) withdraw()
  else beginNext(next.ended())
  if (jobs.size > 0) return
  // Nothing else can be about to speak.
  flush()
  goHome()
}

/** The next task may have been left in a folder that is no longer there, where not even its file can be imported. */
function goHome(): void {
  try {
    if (cwd() === directory) return
  } catch {
    // The folder is gone.
  }
  try {
    chdir(directory)
  } catch {
    // So is the platform's own.
  }
}

/** Of a task that has thrown where nobody caught it: it has failed. Alone in its worker it takes the worker with it; with others, the worker takes no more. */
function thrownLate(error: unknown): void {
  const own = speaker()
  const isKnown = own && !own.hasEnded
  beginTaken()
  if (isKnown) finish(own, failureOutcome(error, null, own), true)
  if (isShared && jobs.size > 0 && (isKnown || runner.getStore())) return
  // What a task has left behind must not take the next one with it.
  if (!isKnown && runner.getStore() && jobs.size > 0) isTired = true
  else {
    // What the platform has sent meanwhile is not to blame.
    post({ type: 'exits', job: (isKnown ? own : runner.getStore())?.id ?? 0 })
    flush()
    exit(1)
  }
}

/** The job on whose behalf the code that runs now speaks; null for what a job that is over has left behind. */
function speaker(): Job | null {
  const own = runner.getStore()
  if (own) return own
  const [only] = jobs.values()
  return jobs.size === 1 && only ? only : null
}
