/** `daggerboard pools …` */
import type { PoolView } from './airflow.ts'
import { path } from './client.ts'
import { command, flag, optional, required } from './command.ts'
import { bring, documentFormat, onExisting, readFrom, writeEntries } from './exchange.ts'
import type { Column } from './output.ts'

const COLUMNS: readonly Column<PoolView>[] = [
  'name',
  'slots',
  'occupied_slots',
  'queued_slots',
  'open_slots',
  'include_deferred',
  'description',
]

const pool = required('name of the pool')

const list = command({
  name: 'list',
  summary: 'List all pools and how full they are',
  async run({ client, out }) {
    out.rows(await client.list<PoolView>('/api/v2/pools', 'pools'), COLUMNS, 'There are no pools.')
  },
})

const get = command({
  name: 'get',
  summary: 'Show a pool',
  args: { pool },
  run: async ({ client, out }, { pool }) => out.record(await client.get<PoolView>(path`/api/v2/pools/${pool}`)),
})

const set = command({
  name: 'set',
  summary: 'Make a pool, or change it',
  args: {
    pool,
    slots: {
      ...required('how many slots it has; -1 for any number'),
      read: (text: string) => {
        if (!/^-1$|^\d+$/.test(text)) throw new Error('must be a whole number from 0 on, or -1 for any number')
        return text
      },
    },
    description: optional('what it is for'),
  },
  options: { includeDeferred: flag('tasks that are deferred take slots, too') },
  async run({ client, out }, { pool, slots, description, includeDeferred }) {
    const address = path`/api/v2/pools/${pool}`
    const before = await client.find<PoolView>(address)
    const body = { slots: Number(slots), description: description ?? before?.description ?? '', include_deferred: includeDeferred }
    const { saved } = await client.save<PoolView>(address, { pool, ...body }, '/api/v2/pools', { name: pool, ...body })
    out.rows([saved], COLUMNS)
  },
})

const remove = command({
  name: 'delete',
  summary: 'Delete a pool',
  args: { pool },
  async run({ client, out }, { pool }) {
    await client.delete(path`/api/v2/pools/${pool}`)
    out.done(`Pool "${pool}" is deleted.`, { name: pool })
  },
})

const importFile = command({
  name: 'import',
  summary: "Take pools from a file: Airflow's export",
  args: { file: required('the file; - for what is piped in') },
  options: { fileFormat: documentFormat, actionOnExisting: onExisting },
  async run(context, { file, fileFormat, actionOnExisting }) {
    const { importPools } = await context.host.exchange()
    const pools = await readFrom(file, fileFormat, context, importPools)
    return bring(context, { path: '/api/v2/pools', noun: 'pools' }, pools, actionOnExisting)
  },
})

const exportFile = command({
  name: 'export',
  summary: 'Write all pools to a file that can be imported here or in Airflow',
  args: { file: required('the file; - for the output') },
  options: { fileFormat: documentFormat },
  async run(context, { file, fileFormat }) {
    const all = await context.client.list<PoolView>('/api/v2/pools', 'pools')
    const { exportPools } = await context.host.exchange()
    writeEntries(context, file, fileFormat, exportPools(all))
    if (file !== '-') context.out.done(`${all.length} pools are in ${file}.`, { file, pools: all.length })
  },
})

export const pools = [list, get, set, remove, importFile, exportFile]
