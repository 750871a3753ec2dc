/** The refreshes: what serves now, one refresh as a line with its parts, beside it the ones before, and the deployed model to be asked. */
import { useEffect, useState } from 'react'
import { Announcer } from './announcer.tsx'
import type { Refresh } from './api/platform.ts'
import { History } from './history/history.tsx'
import { Line, type OpenLog } from './line/line.tsx'
import { stillServing } from './line/outcome.ts'
import { STATE_WORDS } from './line/stations.ts'
import { LogDrawer } from './log/log-drawer.tsx'
import { Builds } from './parts/builds.tsx'
import { Headline, titleOf } from './parts/headline.tsx'
import { Model } from './parts/model.tsx'
import { Search } from './parts/search.tsx'
import { PredictForm } from './predict/predict-form.tsx'
import { servingOf } from './serving/serving.ts'
import { ServingStrip } from './serving/serving-strip.tsx'
import { useHealths } from './serving/use-healths.ts'
import { StartRefresh } from './start/start-refresh.tsx'
import { useNow } from './use-refreshes.ts'

export function RefreshPage({ refreshes, mayRun }: { refreshes: readonly Refresh[] | null; mayRun: boolean }) {
  const [chosenId, choose] = useState<string | null>(null)
  /** Which stage of the shown refresh has its log open, by its place, since the stage itself changes all the time. */
  const [openAt, setOpenAt] = useState<{ index: number; step: number | undefined } | null>(null)
  const refresh = refreshes?.find(({ id }) => id === chosenId) ?? refreshes?.[0]
  const now = useNow(refreshes?.some(({ endedAt }) => endedAt === null) ?? false)
  const open = openAt === null ? null : (refresh?.stages[openAt.index] ?? null)
  const servings = servingOf(refreshes ?? [])
  const healths = useHealths(servings)
  const modelName = (service: string) => {
    const model = healths.get(service)?.model
    return model ? `${model.name} v${model.version}` : null
  }
  useTitle(refresh)
  const show = (id: string | null) => {
    choose(id)
    setOpenAt(null)
  }
  /** Whoever reads a log stays with its refresh, also when a newer one begins. */
  const openLog: OpenLog = (stage, step) => {
    if (!refresh) return
    choose(refresh.id)
    setOpenAt({ index: refresh.stages.indexOf(stage), step })
  }

  return (
    <div className="desk">
      <aside className="side" aria-label="Refreshes">
        <StartRefresh mayRun={mayRun} onStarted={show} />
        <History refreshes={refreshes} shown={refresh ?? null} now={now} onShow={show} />
      </aside>
      <main className="page">
        {refresh ? (
          <>
            <ServingStrip refreshes={refreshes ?? []} servings={servings} healths={healths} onShow={show} />
            <section className="card hero" aria-label="The refresh from data interval to traffic">
              <Headline refresh={refresh} now={now} />
              <Line refresh={refresh} now={now} open={open} stillServing={stillServing(refresh, servings, modelName)} onOpen={openLog} />
            </section>
            <div className="parts">
              <Model refresh={refresh} refreshes={refreshes ?? []} />
              <Search refresh={refresh} />
              <PredictForm servings={servings} shown={refresh} />
              <Builds refresh={refresh} now={now} onOpen={openLog} />
            </div>
          </>
        ) : (
          <Nothing isKnown={refreshes !== null} />
        )}
      </main>
      {refresh && open && (
        <LogDrawer
          key={`${refresh.id} ${openAt?.index} ${openAt?.step}`}
          refresh={refresh}
          stage={open}
          step={openAt?.step}
          onClose={() => setOpenAt(null)}
        />
      )}
      <Announcer refresh={refresh ?? null} />
    </div>
  )
}

/** The tab tells, too, how the refresh stands. */
function useTitle(refresh: Refresh | undefined): void {
  const title = refresh ? `${STATE_WORDS[refresh.state]}: ${titleOf(refresh)} \u00b7 Daggerboard` : 'Daggerboard'
  useEffect(() => {
    document.title = title
    return () => {
      document.title = 'Daggerboard'
    }
  }, [title])
}

function Nothing({ isKnown }: { isKnown: boolean }) {
  if (!isKnown) return <p className="quiet">Reading the refreshes …</p>
  return (
    <section className="card empty">
      <h1>No refresh has run yet</h1>
      <p>
        A refresh takes the newest events, trains a model on them, and puts it in front of users if it passes its gate. Start one here, push
        to <code>staging</code> of <code>purchase_predict</code>, or wait for Monday 05:00 UTC.
      </p>
    </section>
  )
}
