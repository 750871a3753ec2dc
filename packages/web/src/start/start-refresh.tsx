/** Starts a refresh: staging at once, production after saying what that means. */
import { useEffect, useRef, useState } from 'react'
import { asPlatformError, type Environment, type PlatformError, usePlatform } from '../api/platform.ts'
import { Problem } from '../problem.tsx'
import './start-refresh.css'

const MEANING: Readonly<Record<Environment, string>> = {
  staging: 'Trains on the newest interval from branch staging. Nobody outside sees the result.',
  production: 'Trains on the newest interval from branch master. If the model passes its gate, it takes the traffic of your users.',
}

export function StartRefresh({ mayRun, onStarted }: { mayRun: boolean; onStarted: (id: string) => void }) {
  const platform = usePlatform()
  const dialog = useRef<HTMLDialogElement>(null)
  const [environment, setEnvironment] = useState<Environment>('staging')
  const [isConfirmed, setConfirmed] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<PlatformError | null>(null)
  const [isOpen, setOpen] = useState(false)
  const isOff = useIsScheduleOff(environment, isOpen)
  const needsConfirmation = environment === 'production' && !isConfirmed

  const open = () => {
    setEnvironment('staging')
    setConfirmed(false)
    setProblem(null)
    setOpen(true)
    dialog.current?.showModal()
  }
  const start = async () => {
    setBusy(true)
    setProblem(null)
    try {
      onStarted(await platform.startRefresh(environment))
      dialog.current?.close()
    } catch (error) {
      setProblem(asPlatformError(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <>
      <button
        type="button"
        className="button button-strong"
        disabled={!mayRun}
        title={mayRun ? undefined : 'Your role may watch, not start.'}
        onClick={open}
      >
        Start a refresh
      </button>
      <dialog ref={dialog} className="start" aria-labelledby="start-title" onClose={() => setOpen(false)}>
        <h2 id="start-title">Start a refresh</h2>
        <fieldset>
          <legend className="spoken">Environment</legend>
          {(['staging', 'production'] as const).map((name) => (
            <label key={name} className="choice">
              <input type="radio" name="environment" checked={environment === name} onChange={() => setEnvironment(name)} />
              <span>
                <strong>{name}</strong>
                <span className="quiet">{MEANING[name]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {isOff && (
          <p className="schedule-off">
            The weekly schedule of {environment} is off. Starting switches it on: the newest interval now, then every Monday at 05:00 UTC.
          </p>
        )}
        {environment === 'production' && (
          <label className="confirm">
            <input type="checkbox" checked={isConfirmed} onChange={(event) => setConfirmed(event.target.checked)} />
            Yes, users may get the new model.
          </label>
        )}
        {problem && <Problem error={problem} />}
        <div className="actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" className="button button-strong" disabled={isBusy || needsConfirmation} onClick={start}>
            {isBusy ? 'Starting …' : `Start in ${environment}`}
          </button>
        </div>
      </dialog>
    </>
  )
}

function useIsScheduleOff(environment: Environment, isOpen: boolean): boolean {
  const platform = usePlatform()
  const [isOff, setOff] = useState(false)
  useEffect(() => {
    if (!isOpen) return
    let isStale = false
    setOff(false)
    // Whoever may start but not read learns it from the answer to the start.
    platform.isScheduleOff(environment).then(
      (off) => isStale || setOff(off),
      () => {},
    )
    return () => {
      isStale = true
    }
  }, [platform, environment, isOpen])
  return isOff
}
