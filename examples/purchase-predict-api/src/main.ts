/** Starts the API: settings, model, server. A revision is ready only when its model is loaded and proven. */

import { loadServedModel } from './served-model.ts'
import { createApi } from './server.ts'
import { readSettings } from './settings.ts'

const DRAIN_MS = 10_000

try {
  const settings = readSettings(process.env)
  const model = await loadServedModel(settings)
  const { server, drain } = createApi(model, settings)
  server.listen(settings.port, () =>
    console.log(`Serving ${model.name} version ${model.version} for ${settings.environment} on port ${settings.port}`),
  )
  server.once('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      console.log(`${signal}: answering what has begun`)
      setTimeout(() => process.exit(0), DRAIN_MS).unref()
      void drain().then(() => process.exit(0))
    })
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
