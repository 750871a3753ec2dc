/** The refreshes: one of them as a line with its parts, beside it the ones before, and the model that came of them to be asked. */
import { useState } from 'react'
import { Announcer } from './announcer.tsx'
import type { Refresh, Stage } from './api/platform.ts'
import { History } from './history/history.tsx'
import { Line } from './line/line.tsx'
import { LogDrawer } from './log/log-drawer.tsx'
import { Builds } from './parts/builds.tsx'
import { Headline } from './parts/headline.tsx'
import { Model } from './parts/model.tsx'
import { Search } from './parts/search.tsx'
import { PredictForm } from './predict/predict-form.tsx'
import { StartRefresh } from './start/start-refresh.tsx'
import { useNow } from './use-refreshes.ts'

export function RefreshPage({ refreshes, mayRun }: { refreshes: readonly Refresh[] | null; mayRun: boolean }) {
  const [chosenId, choose] = useState<string | null>(null)
  /** Which stage of the shown refresh has its log open, by its place, since the stage itself changes all the time. */
  const [openAt, setOpenAt] = useState<number | null>(null)
  const refresh = refreshes?.find(({ id }) => id === chosenId) ?? refreshes?.[0]
  const now = useNow(refreshes?.some(({ endedAt }) => endedAt === null) ?? false)
  const open = openAt === null ? null : (refresh?.stages[openAt] ?? null)
  const show = (id: string | null) => {
    choose(id)
    setOpenAt(null)
  }
  /** Whoever reads a log stays with its refresh, also when a newer one begins. */
  const openLog = (stage: Stage) => {
    if (!refresh) return
    choose(refresh.id)
    setOpenAt(refresh.stages.indexOf(stage))
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
            <section className="card hero" aria-label="The refresh from data interval to traffic">
              <Headline refresh={refresh} now={now} />
              <Line refresh={refresh} now={now} open={open} onOpen={openLog} />
            </section>
            <div className="parts">
              <Search refresh={refresh} />
              <Builds refresh={refresh} now={now} onOpen={openLog} />
              <Model refresh={refresh} refreshes={refreshes ?? []} />
              <PredictForm refreshes={refreshes ?? []} shown={refresh} />
            </div>
          </>
        ) : (
          <Nothing isKnown={refreshes !== null} />
        )}
      </main>
      {refresh && open && <LogDrawer key={`${refresh.id} ${openAt}`} refresh={refresh} stage={open} onClose={() => setOpenAt(null)} />}
      <Announcer refresh={refresh ?? null} />
    </div>
  )
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
