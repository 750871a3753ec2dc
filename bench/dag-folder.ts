/** A thousand DAG files: how long the first start takes and a later one, when an edited file is visible, and what all that costs when nothing happens. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { RunningPlatform } from '../test/end-to-end/running-platform.ts'
import { cpuPercentOf } from './load/processes.ts'

const EDITS = 10
const POLL_MS = 5
const SETTLE_MS = 8_000
/** Long enough for a look through the folder. */
const IDLE_SECONDS = 35

/** `npm run bench -- dag-folder [FILES] [TASKS]`: 1,000 files with a DAG of 10 tasks each, unless told otherwise. Linux only (it reads /proc). */
export const run = ([files = '1000', tasks = '10']: string[]): Promise<object> => measureFolder(Number(files), Number(tasks))

/** `prepare` is called with the empty home before the first start. */
export async function measureFolder(
  count: number,
  tasks: number,
  prepare?: (home: string) => Promise<void>,
): Promise<Record<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'daggerboard-dags-'))
  const dags = join(folder, 'dags')
  await mkdir(dags)
  await mkdir(join(folder, 'home'))
  await prepare?.(join(folder, 'home'))
  const write = (index: number, description: string) => writeFile(join(dags, `dag_${index}.ts`), dagFile(index, tasks, description))
  for (let index = 0; index < count; index++) await write(index, 'as first written')
  const environment = { DAGGERBOARD_DAGS_FOLDER: dags, DAGGERBOARD_LOAD_EXAMPLES: 'false' }
  const start = async () => {
    const began = performance.now()
    const platform = await RunningPlatform.start(['start'], { home: join(folder, 'home'), environment })
    const client = await platform.client(await platform.endpoint())
    await until(async () => (await client.get<{ total_entries: number }>('/api/v2/dags?limit=1')).total_entries === count)
    return { platform, client, seconds: (performance.now() - began) / 1000 }
  }
  try {
    const first = await start()
    await first.platform.stop()
    const { platform, client, seconds } = await start()
    try {
      await wait(SETTLE_MS)
      const idleCpuPercent = await cpuPercentOf(platform.pid, IDLE_SECONDS)
      const edits: number[] = []
      for (let edit = 0; edit < EDITS; edit++) {
        const [index, description] = [(edit * 97) % count, `edit ${edit}`]
        const began = performance.now()
        await write(index, description)
        await until(async () => (await client.get<{ description: string }>(`/api/v2/dags/dag_${index}`)).description === description)
        edits.push((performance.now() - began) / 1000)
        await wait(200)
      }
      edits.sort((a, b) => a - b)
      return {
        start1000Seconds: first.seconds,
        restart1000Seconds: seconds,
        editVisibleSeconds: edits.at(-1) ?? Number.NaN,
        medianEditVisibleSeconds: edits[EDITS / 2] ?? Number.NaN,
        idleCpuPercent,
      }
    } finally {
      await platform.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await wait(POLL_MS)
}

const dagFile = (index: number, tasks: number, description: string): string => `import { chain, dag } from '@daggerboard/dag'

interface Row {
  readonly id: number
  readonly value: string
}

export default dag('dag_${index}', { schedule: '${index % 60} ${index % 24} * * *', startDate: '2026-01-01', description: '${description}' }, ({ task }) => {
  const steps = Array.from({ length: ${tasks} }, (_, step) =>
    task(\`step_\${step}\`, async ({ log }): Promise<Row> => {
      log('a row')
      return { id: step, value: 'x' }
    }),
  )
  chain(...steps)
})
`
