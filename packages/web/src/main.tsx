/** Where the page begins. `?canned=running|success|failed|empty` opens it with a told story in place of a platform. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { HttpPlatform } from './api/http-platform.ts'
import { type Platform, PlatformContext } from './api/platform.ts'
import { App } from './app.tsx'
import { applyTheme, savedTheme } from './theme/theme.ts'
import './theme/tokens.css'
import './theme/base.css'
import './app.css'

applyTheme(savedTheme())
const canned = new URLSearchParams(location.search).get('canned')
const platform: Platform = canned === null ? new HttpPlatform() : (await import('./canned/canned-platform.ts')).cannedPlatform(canned)

const root = document.getElementById('root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <PlatformContext value={platform}>
        <App />
      </PlatformContext>
    </StrictMode>,
  )
