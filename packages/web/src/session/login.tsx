/** The way in. */
import { type FormEvent, useState } from 'react'
import { type Account, asPlatformError, type PlatformError, usePlatform } from '../api/platform.ts'
import { Problem } from '../problem.tsx'
import { Mark } from './mark.tsx'
import './session.css'

export function Login({ onLogin }: { onLogin: (account: Account) => void }) {
  const platform = usePlatform()
  const [problem, setProblem] = useState<PlatformError | null>(null)
  const [isBusy, setBusy] = useState(false)

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    try {
      onLogin(await platform.login(String(form.get('name')), String(form.get('password'))))
    } catch (error) {
      setProblem(asPlatformError(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="login">
      <form className="card" onSubmit={submit}>
        <h1>
          <Mark size={28} /> Daggerboard
        </h1>
        <p className="quiet">Log in to follow the refreshes of your models.</p>
        <label className="field">
          Name
          <input name="name" autoComplete="username" defaultValue="admin" required autoCapitalize="none" />
        </label>
        <label className="field">
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {problem && <Problem error={problem} />}
        <button type="submit" className="button button-strong" disabled={isBusy}>
          {isBusy ? 'Logging in …' : 'Log in'}
        </button>
        <p className="quiet small">The first start of the platform printed the password of admin in its terminal.</p>
      </form>
    </main>
  )
}
