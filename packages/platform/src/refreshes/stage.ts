/** Stages as values: planned ones, their order on the line, and finding or adding the one that an event speaks of. */
import type { Refresh, Stage, StageKind, StageOf, StageState } from './refresh.ts'

const nothingYet = { state: 'waiting', startedAt: null, endedAt: null, detail: null } as const

/** A stage of each kind before anything is known of it. */
const PLANNED: { readonly [Kind in StageKind]: StageOf<Kind> } = {
  interval: { ...nothingYet, kind: 'interval', start: null, end: null },
  cluster: { ...nothingYet, kind: 'cluster', name: null, clusterState: null, task: null },
  transform: { ...nothingYet, kind: 'transform', jobId: null, progress: null, inputRows: null, outputRows: null, task: null },
  build: {
    ...nothingYet,
    kind: 'build',
    buildId: null,
    nested: false,
    parentBuildId: null,
    repository: null,
    branch: null,
    commitSha: null,
    trigger: null,
    steps: [],
    task: null,
  },
  training: {
    ...nothingYet,
    kind: 'training',
    buildId: null,
    experiment: null,
    runId: null,
    maxEvals: null,
    series: [],
    trials: 0,
    best: null,
    metrics: {},
  },
  model: { ...nothingYet, kind: 'model', buildId: null, name: null, version: null, stage: null, metrics: {} },
  image: { ...nothingYet, kind: 'image', buildId: null, repository: null, tag: null, digest: null, bytes: null },
  revision: { ...nothingYet, kind: 'revision', buildId: null, service: null, revision: null, revisionState: null },
  traffic: { ...nothingYet, kind: 'traffic', buildId: null, service: null, revision: null, percent: null, url: null },
}

/** A place on the line. `nested build` is the build that another one starts. */
export type PlannedStage = StageKind | 'nested build'

/** What happens in what order, from the data interval to traffic. */
export const LINE: readonly PlannedStage[] = [
  'interval',
  'cluster',
  'transform',
  'build',
  'training',
  'model',
  'nested build',
  'image',
  'revision',
  'traffic',
]

export const placeOf = (stage: Stage): PlannedStage => (stage.kind === 'build' && stage.nested ? 'nested build' : stage.kind)

export const planned = (place: PlannedStage): Stage => (place === 'nested build' ? { ...PLANNED.build, nested: true } : PLANNED[place])

export const stagesOf = <Kind extends StageKind>(refresh: Refresh, kind: Kind): StageOf<Kind>[] =>
  refresh.stages.filter((stage): stage is StageOf<Kind> => stage.kind === kind)

/**
 * The refresh with `change` made to the stage at `place` that `isMeant` accepts; else to a planned one that nobody has
 * taken yet, else to a new one put behind the last of that place.
 */
export function changeStage<Kind extends StageKind>(
  refresh: Refresh,
  kind: Kind,
  isMeant: (stage: StageOf<Kind>) => boolean,
  change: Partial<StageOf<Kind>> | ((stage: StageOf<Kind>) => Partial<StageOf<Kind>>),
  { nested = false } = {},
): Refresh {
  const place: PlannedStage = nested ? 'nested build' : kind
  const here = (stage: Stage): stage is StageOf<Kind> => placeOf(stage) === place
  let at = refresh.stages.findIndex((stage) => here(stage) && isMeant(stage))
  if (at < 0)
    at = refresh.stages.findIndex((stage) => here(stage) && isOpenPlan(stage) && (stage.state === 'waiting' || stage.state === 'skipped'))
  const isNew = at < 0
  if (isNew) at = refresh.stages.filter((stage) => LINE.indexOf(placeOf(stage)) <= LINE.indexOf(place)).length
  const before = (isNew ? planned(place) : refresh.stages[at]) as StageOf<Kind>
  const after = { ...before, ...(typeof change === 'function' ? change(before) : change) }
  return { ...refresh, stages: refresh.stages.toSpliced(at, isNew ? 0 : 1, after) }
}

/** A stage that stands for something expected and not for a thing that exists. */
export function isOpenPlan(stage: Stage): boolean {
  switch (stage.kind) {
    case 'interval':
      return false
    case 'cluster':
      return stage.name === null
    case 'transform':
      return stage.jobId === null
    case 'build':
      return stage.buildId === null
    case 'training':
      return stage.runId === null
    case 'model':
      return stage.version === null
    case 'image':
      return stage.digest === null
    case 'revision':
    case 'traffic':
      return stage.revision === null
  }
}

export const isOver = (state: StageState): boolean => state !== 'waiting' && state !== 'running'
