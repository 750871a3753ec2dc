/** What is being served right now, above everything else: one cell for staging, one for production. */
import type { Health, Refresh } from '../api/platform.ts'
import { interval, moment, percent, score, tail } from '../format.ts'
import { Glyph } from '../line/glyph.tsx'
import { modelOf, type Serving } from './serving.ts'
import './serving.css'

const ENVIRONMENTS = ['staging', 'production']

interface Props {
  readonly refreshes: readonly Refresh[]
  readonly servings: readonly Serving[]
  readonly healths: ReadonlyMap<string, Health>
  readonly onShow: (id: string) => void
}

export function ServingStrip({ servings, ...rest }: Props) {
  const missing = ENVIRONMENTS.filter((name) => !servings.some(({ environment }) => environment === name))
  return (
    <section className="strip" aria-label="Serving now">
      {servings.map((serving) => (
        <Cell key={serving.service} serving={serving} {...rest} />
      ))}
      {missing.map((name) => (
        <div key={name} className="cell is-empty">
          <Glyph state="skipped" size={22} />
          <span className="cell-name">{name}</span>
          <span className="cell-facts">Nothing is deployed yet.</span>
        </div>
      ))}
    </section>
  )
}

function Cell({ serving, refreshes, healths, onShow }: { serving: Serving } & Omit<Props, 'servings'>) {
  const { service, environment, revision, since, refresh } = serving
  const health = healths.get(service)
  const { auc, interval: trainedOn } = modelOf(refreshes, health?.model ?? null)
  const facts = [
    trainedOn && `trained on ${interval(trainedOn)}`,
    since && `serving since ${moment(since)}`,
    serving.percent < 100 && `${percent(serving.percent / 100)} of the traffic`,
  ].filter(Boolean)
  const spoken = [wordOf(health), auc !== undefined && `AUC ${score(auc)}`, ...facts].filter(Boolean).join(', ')
  return (
    <button
      type="button"
      className="cell"
      aria-label={`${environment ?? service}: ${spoken}. Show its refresh`}
      title={`Show the refresh that brought ${revision}`}
      onClick={() => onShow(refresh.id)}
    >
      <Glyph state={health === undefined ? 'running' : health.problem === null ? 'success' : 'failed'} size={22} />
      <span className="cell-name">{environment ?? service}</span>
      <span className="cell-model">
        {wordOf(health)}
        {auc !== undefined && <span className="cell-score">AUC {score(auc)}</span>}
      </span>
      <span className="cell-facts">
        {facts.map((fact) => `${fact} · `)}
        <span className="code">{tail(revision)}</span>
      </span>
    </button>
  )
}

function wordOf(health: Health | undefined): string {
  if (health === undefined) return 'asking the service …'
  if (health.problem !== null) return health.problem
  return health.model === null ? 'answering' : `${health.model.name} v${health.model.version}`
}
