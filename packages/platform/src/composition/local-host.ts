/** What commands need of this machine, each part loaded when a command asks for it. */
import type { Host } from '../cli/host.ts'
import { VERSION } from '../version.ts'

/** `signal` ends a platform that runs in this process. */
export const localHost = (signal: AbortSignal): Host => ({
  version: VERSION,
  localAccess: async (home) => (await import('./local-access.ts')).localAccess(home),
  start: async (settings) => (await import('./run-platform.ts')).runPlatform(settings, signal),
  demo: async (settings, options) => (await import('./run-platform.ts')).runDemoPlatform(settings, options, signal),
  secrets: async (settings) => (await import('./local-secrets.ts')).readSecrets(settings),
  rotateKeys: async (settings) => (await import('./local-secrets.ts')).rotateKeys(settings),
  testDag: async (settings, order) => (await import('./test-dag.ts')).testDag(settings, order),
  testTask: async (settings, order) => (await import('./test-task.ts')).testTask(settings, order),
  exchange: async () => (await import('./exchange.ts')).exchange,
})
