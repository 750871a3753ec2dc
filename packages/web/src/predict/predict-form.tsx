/** Asks the deployed API about one row. */
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { type Answer, asPlatformError, type PlatformError, type Refresh, usePlatform } from '../api/platform.ts'
import { duration } from '../format.ts'
import { Problem } from '../problem.tsx'
import type { Serving } from '../serving/serving.ts'
import { FEATURES, rowOf } from './row.ts'
import './predict.css'

/** Asks, until another is chosen, the service of the environment that is shown. */
export function PredictForm({ servings, shown }: { servings: readonly Serving[]; shown: Refresh }) {
  const platform = usePlatform()
  const services = servings.map(({ service }) => service)
  const usual = servings.find(({ environment }) => environment !== null && shown.environment?.includes(environment))
  const [chosen, choose] = useState<string | null>(null)
  const [answer, setAnswer] = useState<Answer | null>(null)
  const [problem, setProblem] = useState<PlatformError | null>(null)
  const [isBusy, setBusy] = useState(false)
  const reply = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (answer || problem) reply.current?.scrollIntoView({ block: 'nearest' })
  }, [answer, problem])
  const service = services.find((name) => name === chosen) ?? usual?.service ?? services[0]

  const ask = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!service) return
    const fields = Object.fromEntries([...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)]))
    setBusy(true)
    setProblem(null)
    try {
      setAnswer(await platform.predict(service, rowOf(fields)))
    } catch (error) {
      setAnswer(null)
      setProblem(asPlatformError(error))
    } finally {
      setBusy(false)
    }
  }

  if (services.length === 0)
    return (
      <section className="card predict" aria-label="Ask the deployed model">
        <h2>Ask the deployed model</h2>
        <p className="quiet">As soon as a service gets traffic, you can send it a row here and read its prediction.</p>
      </section>
    )
  return (
    <section className="card predict" aria-label="Ask the deployed model">
      <form onSubmit={ask}>
        <div className="card-head">
          <h2>Ask the deployed model</h2>
        </div>
        <label className="field service">
          Service
          <select value={service ?? ''} onChange={(event) => choose(event.target.value)}>
            {services.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <div className="row">
          {FEATURES.map(({ name, kind, unit, example, suggestions }) => (
            <label key={name} className={kind === 'text' ? 'field is-text' : 'field'}>
              <span className="feature">
                {name} {unit && <span className="unit">{unit}</span>}
              </span>
              <input
                name={name}
                aria-label={name}
                defaultValue={example}
                inputMode={kind === 'text' ? 'text' : 'decimal'}
                list={suggestions && `known-${name}`}
                autoComplete="off"
                spellCheck={false}
              />
              {suggestions && (
                <datalist id={`known-${name}`}>
                  {suggestions.map((known) => (
                    <option key={known} value={known} />
                  ))}
                </datalist>
              )}
            </label>
          ))}
          <button type="submit" className="button button-strong" disabled={isBusy}>
            {isBusy ? 'Asking …' : 'Ask'}
          </button>
        </div>
      </form>
      <div aria-live="polite" ref={reply}>
        {answer && <Verdict answer={answer} />}
        {problem && <Problem error={problem} />}
      </div>
    </section>
  )
}

function Verdict({ answer: { probability, willBuy, milliseconds } }: { answer: Answer }) {
  return (
    <div className="verdict">
      <strong>
        {willBuy === null ? 'The service answered, but not with a prediction' : willBuy ? 'Will be bought' : 'Will not be bought'}
      </strong>
      <span className="quiet small">answered in {duration(milliseconds)}</span>
      {probability !== null && (
        <>
          <span className="probability">{(probability * 100).toFixed(1)} %</span>
          <meter className="spoken" min={0} max={1} value={probability}>
            {probability}
          </meter>
          <span className="scale" aria-hidden="true" style={{ '--probability': probability }} />
        </>
      )}
    </div>
  )
}
