/** The refreshes so far, the newest first, each in two lines. */
import type { Refresh } from '../api/platform.ts'
import { duration, elapsed } from '../format.ts'
import { Glyph } from '../line/glyph.tsx'
import { STATE_WORDS } from '../line/stations.ts'
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
  const model = refresh.stages.findLast((stage) => stage.kind === 'model' && stage.version !== null)
  const version = model?.kind === 'model' ? model : undefined
  const auc = version?.metrics.auc
  const ms = elapsed(refresh, now)
  const isServing = refresh.stages.some((stage) => stage.kind === 'traffic' && (stage.percent ?? 0) > 0)
  return (
    <button type="button" className="entry" aria-current={isShown ? 'true' : undefined} onClick={() => onShow(refresh.id)}>
      <Glyph state={refresh.state} size={18} />
      <span className="entry-title">{titleOf(refresh)}</span>
      <span className="entry-end">{refresh.environment && <Environment name={refresh.environment} />}</span>
      <span className="entry-facts">
        <span className="spoken">{STATE_WORDS[refresh.state]}, </span>
        {[version && `v${version.version}`, auc !== undefined && `AUC ${auc.toFixed(4)}`].filter(Boolean).join(' · ') ||
          (refresh.endedAt ? 'no model' : 'under way')}
      </span>
      <span className="entry-end entry-facts">
        {isServing && <span className="serving">serving</span>}
        {ms === null ? '' : duration(ms)}
      </span>
    </button>
  )
}
