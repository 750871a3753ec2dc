/** The refreshes so far, the newest first, each in three lines. */
import type { Refresh } from '../api/platform.ts'
import { duration, elapsed, moment, score } from '../format.ts'
import { Glyph } from '../line/glyph.tsx'
import { stoppedAt } from '../line/outcome.ts'
import { STATE_WORDS, stationsOf } from '../line/stations.ts'
import { Environment, titleOf } from '../parts/headline.tsx'
import './history.css'

interface Props {
  readonly refreshes: readonly Refresh[] | null
  readonly shown: Refresh | null
  readonly now: number
  readonly onShow: (id: string) => void
}

export function History({ refreshes, shown, now, onShow }: Props) {
  return (
    <nav className="history" aria-label="Refreshes so far">
      <h2 className="spoken">Refreshes</h2>
      {refreshes?.length === 0 && <p className="quiet small">Refreshes are listed here as they run.</p>}
      <ul>
        {refreshes?.map((refresh) => (
          <li key={refresh.id}>
            <Entry refresh={refresh} isShown={refresh.id === shown?.id} now={now} onShow={onShow} />
          </li>
        ))}
      </ul>
    </nav>
  )
}

function Entry({ refresh, isShown, now, onShow }: { refresh: Refresh; isShown: boolean } & Pick<Props, 'now' | 'onShow'>) {
  const ms = elapsed(refresh, now)
  const isServing = refresh.stages.some((stage) => stage.kind === 'traffic' && (stage.percent ?? 0) > 0)
  const spoken = [titleOf(refresh), refresh.environment, STATE_WORDS[refresh.state], factsOf(refresh), isServing && 'serving']
  return (
    <button
      type="button"
      className="entry"
      aria-current={isShown ? 'true' : undefined}
      aria-label={spoken.filter(Boolean).join(', ')}
      onClick={() => onShow(refresh.id)}
    >
      <Glyph state={refresh.state} size={18} />
      <span className="entry-title">{titleOf(refresh)}</span>
      <span className="entry-end entry-facts">{isServing && <span className="serving">serving</span>}</span>
      <span className="entry-facts">
        <span className="spoken">{STATE_WORDS[refresh.state]}, </span>
        {factsOf(refresh)}
      </span>
      <span className="entry-end">{refresh.environment && <Environment name={refresh.environment} isShort />}</span>
      <span className="entry-facts">{moment(refresh.startedAt ?? refresh.createdAt)}</span>
      <span className="entry-end entry-facts">{ms === null ? '' : duration(ms)}</span>
    </button>
  )
}

/** What came of it, or how far it is. */
function factsOf(refresh: Refresh): string {
  if (refresh.state === 'running') return stationsOf(refresh).findLast(({ state }) => state === 'running')?.title ?? 'under way'
  if (refresh.state !== 'success') return [STATE_WORDS[refresh.state], stoppedAt(refresh)].filter(Boolean).join(' at ')
  const model = refresh.stages.findLast((stage) => stage.kind === 'model' && stage.version !== null)
  if (model?.kind !== 'model') return 'new revision of the API'
  const { auc } = model.metrics
  return [`v${model.version}`, auc !== undefined && `AUC ${score(auc)}`].filter(Boolean).join(' · ')
}
