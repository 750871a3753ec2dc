/** The entry of every tool: `node main.ts TOOL ARGUMENTS…`. The wrappers in a build's bin folder call it. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import type { Tool } from './command.ts'
import { runTool } from './run-tool.ts'

// What lies there is run: never in the folder that all users of a machine share.
const { DAGGERBOARD_CACHE: cache } = process.env
if (cache) enableCompileCache(join(cache, 'compiled'))

const TOOLS: Readonly<Record<string, () => Promise<Tool>>> = {
  gcloud: async () => (await import('./gcloud.ts')).gcloud,
  gsutil: async () => (await import('./gsutil.ts')).gsutil,
  docker: async () => (await import('./docker.ts')).docker,
  kubectl: async () => (await import('./kubectl.ts')).kubectl,
}

const [name = '', ...argv] = process.argv.slice(2)
const load = TOOLS[name]
if (load) await runTool(await load(), argv)
else {
  process.stderr.write(`There is no tool "${name}". There are: ${Object.keys(TOOLS).join(', ')}.\n`)
  process.exitCode = 2
}
