/** Pools in Airflow's words. */
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import { DEFAULT_POOL, type Pool } from '../../scheduling/pool.ts'
import type { PoolUse } from '../../scheduling/task-instance-list.ts'
import { nameOf, readBody } from '../airflow-body.ts'
import { bulk, bulkBody, masked } from '../airflow-bulk.ts'
import { badRequest } from '../airflow-error.ts'
import { many, ordering, pageOf, paging, patternOf, patterns, readQuery, text } from '../airflow-query.ts'
import { recorded } from '../airflow-record.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'

const name = nameOf(250)
const slots = z.int().min(-1, 'is a number of slots, or -1 for as many as there are tasks')

const Body = z.strictObject({
  name,
  slots,
  description: z.string().nullish(),
  include_deferred: z.boolean().default(false),
  team_name: z.null().optional(),
})
type Body = z.infer<typeof Body>

const Patch = z.strictObject({
  pool: name.nullish(),
  slots: slots.nullish(),
  description: z.string().nullish(),
  include_deferred: z.boolean().nullish(),
  team_name: z.null().optional(),
})

const Update = z.strictObject({ ...Patch.omit({ pool: true }).shape, name })
type Update = z.infer<typeof Update>

export function addPoolRoutes(door: Door, { scheduler, pools, instanceList, recorder }: AirflowDoorOptions): void {
  const path = '/api/v2/pools'

  const find = async (name: string): Promise<Pool> => {
    const pool = await pools.find(name)
    if (pool) return pool
    const known = (await pools.list()).map((other) => other.name)
    throw new AppError('not_found', `There is no pool "${name}".${didYouMean(name, known)} GET /api/v2/pools lists them.`)
  }
  const save = async (pool: Pool): Promise<void> => {
    await pools.save(pool)
    scheduler.poolsChanged()
  }
  const create = ({ name, slots, description, include_deferred: includeDeferred }: Body): Promise<void> =>
    save({ name, slots, description: description ?? null, includeDeferred })
  const update = async (name: string, body: Omit<Update, 'name'>, mask: readonly string[] | undefined): Promise<void> => {
    const old = await find(name)
    const { slots, description, include_deferred: includeDeferred } = masked(body, mask)
    await save({
      name,
      slots: slots ?? old.slots,
      description: description === undefined ? old.description : description,
      includeDeferred: includeDeferred ?? old.includeDeferred,
    })
  }
  const remove = async (name: string): Promise<void> => {
    if (name === DEFAULT_POOL)
      throw new AppError(
        'invalid',
        `The pool "${DEFAULT_POOL}" cannot be deleted: tasks that name none are in it. Change its slots instead.`,
      )
    await pools.delete(name)
    scheduler.poolsChanged()
  }

  door.get(path, permit('dags.read'), async (c) => {
    const orders = { id: 'name', pool: 'name', name: 'name', slots: 'slots' } as const
    const query = readQuery(c.req, { ...paging, ...ordering(orders), ...patterns('pool_name') })
    const found = await pools.page({ ...pageOf(query), sort: query.order_by ?? [], namePattern: patternOf(query, 'pool_name') })
    const use = await instanceList.poolUse()
    return c.json({ pools: found.pools.map((pool) => present(pool, use)), total_entries: found.total })
  })

  door.get(`${path}/:name`, permit('dags.read'), async (c) =>
    c.json(present(await find(c.req.param('name')), await instanceList.poolUse())),
  )

  door.post(path, permit('dags.write'), recorded(recorder, 'post_pool'), async (c) => {
    const body = await readBody(c.req.raw, Body)
    if (await pools.find(body.name))
      throw new AppError('conflict', `There is a pool "${body.name}" already. Change it with PATCH /api/v2/pools/${body.name}.`)
    await create(body)
    return c.json(present(await find(body.name), await instanceList.poolUse()), 201)
  })

  door.patch(path, permit('dags.write'), recorded(recorder, 'bulk_pools'), async (c) =>
    c.json(
      await bulk<Body, Update>(await readBody(c.req.raw, bulkBody(Body, Update)), {
        noun: 'pool',
        keyOf: (each) => each.name,
        has: async (each) => (await pools.find(each)) !== null,
        create,
        update: (each, mask) => update(each.name, each, mask),
        delete: remove,
      }),
    ),
  )

  door.patch(`${path}/:name`, permit('dags.write'), recorded(recorder, 'patch_pool'), async (c) => {
    const { name } = await find(c.req.param('name'))
    const { update_mask } = readQuery(c.req, { update_mask: many(text) })
    const body = await readBody(c.req.raw, Patch)
    if (body.pool && body.pool !== name) {
      const msg = `The body names pool "${body.pool}", the address "${name}". A name cannot change.`
      throw badRequest(msg, [{ loc: ['body', 'pool'], msg, type: 'value_error' }])
    }
    await update(name, body, update_mask)
    return c.json(present(await find(name), await instanceList.poolUse()))
  })

  door.delete(`${path}/:name`, permit('dags.write'), recorded(recorder, 'delete_pool'), async (c) => {
    const { name } = await find(c.req.param('name'))
    await remove(name)
    return c.body(null, 204)
  })
}

function present({ name, slots, description, includeDeferred }: Pool, use: readonly PoolUse[]) {
  const taken = (...states: PoolUse['state'][]): number =>
    use.filter((each) => each.pool === name && states.includes(each.state)).reduce((sum, each) => sum + each.slots, 0)
  const running = taken('running', 'restarting')
  const occupied = running + taken('queued') + (includeDeferred ? taken('deferred') : 0)
  return {
    name,
    slots,
    description,
    include_deferred: includeDeferred,
    team_name: null,
    occupied_slots: occupied,
    running_slots: running,
    queued_slots: taken('queued'),
    scheduled_slots: taken('scheduled'),
    deferred_slots: taken('deferred'),
    open_slots: slots === -1 ? -1 : slots - occupied,
  }
}
