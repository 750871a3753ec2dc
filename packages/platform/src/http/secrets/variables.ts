/** Airflow's `/api/v2/variables`: sensitive values leave masked. */
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import { MASK, maskText, mergeText } from '../../secrets/masking.ts'
import type { Variable, VariableStore } from '../../secrets/variable.ts'
import { nameOf, readBody } from '../airflow-body.ts'
import { bulk, bulkBody, masked } from '../airflow-bulk.ts'
import { airflowErrors, badRequest } from '../airflow-error.ts'
import { many, ordering, pageOf, paging, patternOf, patterns, readQuery, text } from '../airflow-query.ts'
import { only, type Recorder, recorded } from '../airflow-record.ts'
import { createDoor, type Door, permit } from '../door.ts'

const key = nameOf(250)
const Body = z.strictObject({
  key,
  value: z.json().transform((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
  description: z.string().nullish(),
  team_name: z.null().optional(),
})
const Patch = Body.partial()
const Update = Patch.extend({ key })
type Update = z.infer<typeof Update>

/** All values are encrypted, and their order would tell of what is masked: it is none, as that of the encrypted texts is in Airflow. */
const ORDERS = {
  id: 'key',
  key: 'key',
  _val: 'none',
  description: 'description',
  is_encrypted: 'none',
  team_name: 'none',
} as const

export interface VariablesDoorOptions {
  readonly variables: VariableStore
  readonly recorder: Recorder
}

export function variablesDoor({ variables, recorder }: VariablesDoorOptions): Door {
  const door = createDoor(airflowErrors)
  const path = '/api/v2/variables'
  // Whoever may read the event log may not read Variables.
  const named = { shown: only('key', 'description', 'actions', 'action', 'entities') }

  const find = async (key: string): Promise<Variable> => {
    const variable = await variables.find(key)
    if (variable) return variable
    const known = await variables.keys()
    throw new AppError('not_found', `There is no variable "${key}".${didYouMean(key, known)} GET /api/v2/variables lists them.`)
  }
  const create = ({ key, value, description }: z.infer<typeof Body>): Promise<void> =>
    variables.save({ key, value, description: description ?? null })
  const update = async (key: string, body: z.infer<typeof Patch>, mask: readonly string[] | undefined): Promise<void> => {
    const old = await find(key)
    const { value = MASK, description } = masked(body, mask)
    // A client that leaves the value out, or sends the mask back, has not changed it.
    await variables.save({
      key,
      value: value === MASK ? old.value : mergeText(value, old.value, key),
      description: description === undefined ? old.description : description,
    })
  }

  door.get(path, permit('variables.read'), async (c) => {
    const query = readQuery(c.req, { ...paging, ...ordering(ORDERS), ...patterns('variable_key') })
    const sort = (query.order_by ?? []).flatMap(({ by, descending }) => (by === 'none' ? [] : [{ by, descending }]))
    const found = await variables.page({ ...pageOf(query), sort, keyPattern: patternOf(query, 'variable_key') })
    return c.json({ variables: found.variables.map(present), total_entries: found.total })
  })
  door.get(`${path}/:key`, permit('variables.read'), async (c) => c.json(present(await find(c.req.param('key')))))

  door.post(path, permit('variables.write'), recorded(recorder, 'post_variable', named), async (c) => {
    const body = await readBody(c.req.raw, Body)
    if (await variables.find(body.key))
      throw new AppError('conflict', `There is a variable "${body.key}" already. Change it with PATCH /api/v2/variables/${body.key}.`)
    await create(body)
    return c.json(present(await find(body.key)), 201)
  })

  door.patch(path, permit('variables.write'), recorded(recorder, 'bulk_variables', named), async (c) =>
    c.json(
      await bulk<z.infer<typeof Body>, Update>(await readBody(c.req.raw, bulkBody(Body, Update)), {
        noun: 'variable',
        keyOf: (each) => each.key,
        has: async (each) => (await variables.find(each)) !== null,
        create,
        update: (each: Update, mask) => update(each.key, each, mask),
        delete: async (each) => void (await variables.delete(each)),
      }),
    ),
  )

  door.patch(`${path}/:key`, permit('variables.write'), recorded(recorder, 'patch_variable', named), async (c) => {
    const old = await find(c.req.param('key'))
    const { update_mask } = readQuery(c.req, { update_mask: many(text) })
    const body = await readBody(c.req.raw, Patch)
    if (body.key !== undefined && body.key !== old.key) {
      const msg = `The body names variable "${body.key}", the address "${old.key}". A key cannot change.`
      throw badRequest(msg, [{ loc: ['body', 'key'], msg, type: 'value_error' }])
    }
    await update(old.key, body, update_mask)
    return c.json(present(await find(old.key)))
  })

  door.delete(`${path}/:key`, permit('variables.write'), recorded(recorder, 'delete_variable'), async (c) => {
    await find(c.req.param('key'))
    await variables.delete(c.req.param('key'))
    return c.body(null, 204)
  })
  return door
}

const present = ({ key, value, description }: Variable) => ({
  key,
  value: maskText(value, key),
  description,
  is_encrypted: true,
  team_name: null,
})
