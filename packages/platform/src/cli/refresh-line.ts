/** A refresh in words, one line for each stage: what the terminal shows while the page shows its line. */

/** What the commands read of a stage in `GET /api/v1/refreshes/:id`; each kind has its own of the later fields. */
export interface StageView {
  readonly kind: string
  readonly state: string
  readonly detail: string | null
  readonly [field: string]: unknown
}

export interface RefreshView {
  readonly id: string
  readonly state: string
  readonly reason: string | null
  readonly endedAt: string | null
  readonly origin: { readonly dagId: string | null; readonly runId: string | null }
  readonly dagRunState: string | null
  readonly tasks: readonly { readonly taskId: string; readonly state: string }[]
  readonly stages: readonly StageView[]
}

/** `null` while there is nothing to tell of the stage. */
export function describeStage(stage: StageView): string | null {
  if (stage.state === 'waiting' || stage.state === 'skipped') return null
  const facts = FACTS[stage.kind]?.(stage).trim() ?? ''
  // Begun, and nothing is known of it: the next moment says more.
  if (facts === '' && !stage.detail) return null
  const detail = stage.detail && (stage.state === 'failed' || facts === '') ? ` — ${stage.detail}` : ''
  return `${MARKS[stage.state] ?? '·'} ${TITLES[stage.kind] ?? stage.kind}: ${facts}${detail}`
}

const MARKS: Record<string, string> = { running: '…', success: '✔', failed: '✖', cancelled: '⊘' }

const TITLES: Record<string, string> = {
  interval: 'data interval',
  cluster: 'cluster',
  transform: 'transform',
  build: 'build',
  training: 'training',
  model: 'model',
  image: 'image',
  revision: 'revision',
  traffic: 'traffic',
}

const day = (instant: unknown) => String(instant).slice(0, 16).replace('T', ' ')
const count = (value: unknown) => Number(value).toLocaleString('en')
const score = (value: unknown) => Number(value).toFixed(4)

const FACTS: Record<string, (stage: StageView) => string> = {
  interval: ({ start, end }) => `${day(start)} to ${day(end)} UTC`,
  cluster: ({ name, clusterState }) => [name, clusterState].filter(Boolean).join(' '),
  transform: ({ state, inputRows, outputRows, progress }) => {
    if (state === 'success') return `${count(inputRows)} events to ${count(outputRows)} rows`
    return progress === null ? 'begins' : `${Math.round(Number(progress) * 100)} %`
  },
  build: ({ repository, steps }) =>
    `${repository ?? ''} ${(steps as { id: string; status: string }[]).map((step) => `${step.id} ${step.status}`).join(', ')}`,
  training: ({ trials, maxEvals, best }) =>
    `trial ${trials}${maxEvals === null ? '' : ` of ${maxEvals}`}${best === null ? '' : `, best ${score(best)}`}`,
  model: ({ name, version, stage, metrics }) => {
    const shown = Object.entries(metrics as Record<string, number>).map(([key, value]) => `${key} ${score(value)}`)
    return `${name} version ${version} (${stage})${shown.length > 0 ? `: ${shown.join(', ')}` : ''}`
  },
  image: ({ repository, digest }) => `${repository}@${String(digest).slice(0, 19)}`,
  revision: ({ revision, revisionState }) => `${revision} ${revisionState}`,
  traffic: ({ service, revision, percent, url }) => `${percent} % of ${service} goes to ${revision} at ${url}`,
}
