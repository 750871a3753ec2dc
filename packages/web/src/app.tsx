/** The whole page: the login, and behind it the refreshes. */
import { useCallback, useEffect, useState } from 'react'
import { type Account, asPlatformError, type PlatformError, usePlatform } from './api/platform.ts'
import { Problem } from './problem.tsx'
import { RefreshPage } from './refresh-page.tsx'
import { Login } from './session/login.tsx'
import { TopBar } from './session/top-bar.tsx'
import { useRefreshes } from './use-refreshes.ts'

export function App() {
  const platform = usePlatform()
  const [account, setAccount] = useState<Account | null | undefined>(undefined)
  const [problem, setProblem] = useState<PlatformError | null>(null)
  const logOut = useCallback(() => setAccount(null), [])

  const ask = useCallback(() => {
    setProblem(null)
    platform.account().then(setAccount, (error) => setProblem(asPlatformError(error)))
  }, [platform])
  useEffect(ask, [ask])

  if (problem)
    return (
      <main className="lonely">
        <Problem error={problem} />
        <button type="button" className="button" onClick={ask}>
          Try again
        </button>
      </main>
    )
  if (account === undefined) return <main className="lonely quiet">Asking the platform who you are …</main>
  return account === null ? <Login onLogin={setAccount} /> : <Desk account={account} onLoggedOut={logOut} />
}

function Desk({ account, onLoggedOut }: { account: Account; onLoggedOut: () => void }) {
  const platform = usePlatform()
  const { refreshes, liveness } = useRefreshes(onLoggedOut)
  const leave = () => void platform.logout().finally(onLoggedOut)
  return (
    <>
      <TopBar account={account} liveness={liveness} onLogout={leave} />
      <RefreshPage refreshes={refreshes} mayRun={account.role !== 'viewer'} />
    </>
  )
}
