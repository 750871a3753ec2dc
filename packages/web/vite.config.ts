/** How the page is built; `npm run dev -w @daggerboard/web` serves it with a running platform behind it. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const platform = `http://127.0.0.1:${process.env.DAGGERBOARD_PORT ?? 8080}`

export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(['/api', '/auth', '/v1', '/v2', '/services'].map((path) => [path, platform])) },
})
