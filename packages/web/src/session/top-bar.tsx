/** Above everything: where you are, whether what you see is live, who you are. */
import { useState } from 'react'
import { type Account, type Liveness, usePlatform } from '../api/platform.ts'
import { currentTheme, switchTheme } from '../theme/theme.ts'
import { Mark } from './mark.tsx'
import './session.css'

const LIVENESS: Readonly<Record<Liveness, string>> = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost, trying again' }

interface Props {
  readonly account: Account
  readonly liveness: Liveness
  readonly onLogout: () => void
}

export function TopBar({ account, liveness, onLogout }: Props) {
  const { cannedName } = usePlatform()
  return (
    <header className="top-bar">
      <span className="brand">
        <Mark /> Daggerboard
      </span>
      <span className="quiet project">project {account.project}</span>
      {cannedName !== null && <strong className="canned-badge">Canned data: {cannedName}</strong>}
      <span className="spring" />
      <span className={`liveness is-${liveness}`} role="status">
        {LIVENESS[liveness]}
      </span>
      <ThemeSwitch />
      <span className="quiet who">
        {account.name} <span className="small">({account.role})</span>
      </span>
      <button type="button" className="button button-plain" onClick={onLogout}>
        Log out
      </button>
    </header>
  )
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(currentTheme)
  const other = theme === 'dark' ? 'light' : 'dark'
  return (
    <button
      type="button"
      className="button button-plain theme-switch"
      aria-label={`Switch to ${other} theme`}
      title={`Switch to ${other} theme`}
      onClick={() => setTheme(switchTheme())}
    >
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
        <circle cx="10" cy="10" r="7.2" fill="none" stroke="currentColor" strokeWidth="1.8" />
        <path d="M10 2.8a7.2 7.2 0 0 1 0 14.4z" fill="currentColor" />
      </svg>
    </button>
  )
}
