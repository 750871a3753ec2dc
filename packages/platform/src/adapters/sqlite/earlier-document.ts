/** Documents of DAGs as the first version has written them: of files that are gone, or that cannot be read any more, there is nothing newer. */
import type { DagDocument, TaskDocument } from '@daggerboard/dag'

type FirstDocument = Omit<DagDocument, keyof typeof DAG | 'tasks'> & { readonly tasks: readonly Omit<TaskDocument, keyof typeof TASK>[] }

/** The document with what the first version did not know, as it behaved then. */
export const completed = (document: DagDocument | FirstDocument): DagDocument =>
  'groups' in document ? document : { ...DAG, ...document, tasks: document.tasks.map((task) => ({ ...TASK, ...task })) }

const DAG = {
  docMd: null,
  maxConsecutiveFailedRuns: 0,
  runTimeoutSeconds: null,
  failFast: false,
  tasksPerWorker: 1,
  isPausedUponCreation: null,
  paramSchemas: {},
  deadlines: [],
  callbacks: { onSuccess: false, onFailure: false },
  groups: [],
  templateSearchPath: [],
  rendersNative: false,
} satisfies Partial<DagDocument>

const TASK = {
  groupId: null,
  docMd: null,
  dependsOnPast: false,
  waitForDownstream: false,
  ignoreFirstDependsOnPast: true,
  waitForPastDependsBeforeSkipping: false,
  pool: 'default_pool',
  poolSlots: 1,
  priorityWeight: 1,
  weightRule: 'downstream',
  maxActivePerDag: null,
  maxActivePerRun: null,
  role: 'work',
  setups: [],
  failsRun: true,
  expand: null,
  mapIndexTemplate: null,
  flow: 'none',
  sensor: null,
  callbacks: { onSuccess: false, onFailure: false, onRetry: false, onExecute: false, onSkipped: false },
  inlets: [],
  outlets: [],
} satisfies Partial<TaskDocument>
