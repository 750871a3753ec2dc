/** The model version that came of it, its metrics, and how they compare with the version before. */
import type { ModelStage, Refresh } from '../api/platform.ts'
import { Glyph } from '../line/glyph.tsx'
import { type ShownMetric, shownMetrics } from './metrics.ts'
import './model.css'

/** What is too small to be called a change. */
const NEGLIGIBLE = 0.00005

export function Model({ refresh, refreshes }: { refresh: Refresh; refreshes: readonly Refresh[] }) {
  const models = modelsOf(refresh)
  return (
    <section className="card model" aria-label="Model version">
      {models.length === 0 && (
        <>
          <div className="card-head">
            <h2>Model</h2>
          </div>
          <p className="quiet">{refresh.endedAt === null ? 'No version has been registered yet.' : 'No version was registered.'}</p>
        </>
      )}
      {models.map((model) => (
        <Version key={`${model.name} ${model.version}`} model={model} before={versionBefore(model, refresh, refreshes)} />
      ))}
    </section>
  )
}

function Version({ model, before }: { model: ModelStage; before: ModelStage | undefined }) {
  return (
    <>
      <div className="card-head">
        <h2>
          {model.name} <span className="version">v{model.version}</span>
        </h2>
        <span className={`tag tag-${model.stage?.toLowerCase()}`} title="Its stage in the model registry">
          {model.stage === 'None' ? 'no stage' : model.stage}
        </span>
      </div>
      {model.state === 'failed' && (
        <p className="held-back">
          <Glyph state="failed" size={16} /> Held back: it was given no stage and serves nobody.
        </p>
      )}
      <table className="metrics">
        {before && (
          <thead className="metrics-head">
            <tr>
              <th scope="col">
                <span className="spoken">Metric</span>
              </th>
              <th scope="col">
                <span className="spoken">Value</span>
              </th>
              <th scope="col">against v{before.version}</th>
            </tr>
          </thead>
        )}
        <tbody>
          {shownMetrics(model.metrics).map((metric) => (
            <tr key={metric.name} title={`${metric.name}. ${metric.meaning}`}>
              <th scope="row">{metric.label}</th>
              <td>{metric.text}</td>
              {before && <Change metric={metric} before={before.metrics[metric.name]} />}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

function Change({ metric: { value, isCost }, before }: { metric: ShownMetric; before: number | undefined }) {
  if (before === undefined) return <td className="change">new</td>
  const by = value - before
  if (Math.abs(by) < NEGLIGIBLE) return <td className="change">same</td>
  const isBetter = isCost ? by < 0 : by > 0
  return (
    <td className={`change ${isBetter ? 'is-better' : 'is-worse'}`}>
      {by > 0 ? '▲' : '▼'} {Math.abs(by).toFixed(4)} <span className="word">{isBetter ? 'better' : 'worse'}</span>
    </td>
  )
}

const modelsOf = (refresh: Refresh): ModelStage[] =>
  refresh.stages.filter((stage) => stage.kind === 'model').filter(({ version }) => version !== null)

/** The version that it was to replace: the highest below it that any kept refresh has put into a stage of the same environment. */
function versionBefore(model: ModelStage, { environment }: Refresh, refreshes: readonly Refresh[]): ModelStage | undefined {
  const below = refreshes
    .filter((refresh) => refresh.environment === environment)
    .flatMap(modelsOf)
    .filter(({ name, version, state }) => name === model.name && state === 'success' && Number(version) < Number(model.version))
  return below.sort((a, b) => Number(b.version) - Number(a.version))[0]
}
