/** The search for hyper-parameters: every trial's score, and the best so far as a line above them. */
import type { Refresh, TrainingStage } from '../api/platform.ts'
import { score } from '../format.ts'
import { TrialChart } from './trial-chart.tsx'

export function Search({ refresh }: { refresh: Refresh }) {
  const trainings = refresh.stages.filter((stage) => stage.kind === 'training').filter(({ runId }) => runId !== null)
  return (
    <section className="card search" aria-label="Search trials">
      {trainings.length === 0 ? (
        <>
          <div className="card-head">
            <h2>Search</h2>
          </div>
          <p className="quiet">{refresh.endedAt === null ? 'Trials show up here as they are scored.' : 'No training was reached.'}</p>
        </>
      ) : (
        trainings.map((training) => <Training key={training.runId} training={training} />)
      )}
    </section>
  )
}

function Training({ training }: { training: TrainingStage }) {
  const { trials, maxEvals, best } = training
  return (
    <>
      <div className="card-head">
        <h2>Search</h2>
        <span className="quiet small">
          {maxEvals === null ? `${trials} trials` : `${trials} of ${maxEvals} trials`}
          {best !== null && (
            <>
              {' · best AUC '}
              <strong className="best-score">{score(best)}</strong>
            </>
          )}
        </span>
      </div>
      <TrialChart training={training} />
    </>
  )
}
