/** Airflow's `/api/v2/variables`: sensitive values leave masked. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import { isSensitiveName, MASK } from '../../secrets/masking.ts'
import type { Variable, VariableStore } from '../../secrets/variable.ts'
import { airflowErrorBody } from '../airflow-error.ts'
import { paging } from '../airflow-paging.ts'
import { createDoor, type Door, permit } from '../door.ts'
import { readJson } from '../json-body.ts'

const Body = z.object({
  key: z.string().min(1).max(250),
  value: z.json().transform((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
  description: z.string().nullish(),
})
const Patch = Body.partial()

export function variablesDoor({ variables }: { readonly variables: VariableStore }): Door {
  const door = createDoor({ errorBody: airflowErrorBody })

  const find = async (key: string): Promise<Variable> => {
    const variable = await variables.find(key)
    if (variable) return variable
    throw new AppError('not_found', `There is no variable "${key}". GET /api/v2/variables lists them.`)
  }

  door.get('/api/v2/variables', permit('variables.read'), async (c) => {
    const { limit, offset } = paging((name) => c.req.query(name))
    const all = await variables.list()
    return c.json({ variables: all.slice(offset, offset + limit).map(present), total_entries: all.length })
  })
  door.get('/api/v2/variables/:key', permit('variables.read'), async (c) => c.json(present(await find(c.req.param('key')))))
  door.post('/api/v2/variables', permit('variables.write'), async (c) => {
    const { key, value, description } = await readJson(c.req.raw, Body)
    if (await variables.find(key))
      throw new AppError('conflict', `There is a variable "${key}" already. Change it with PATCH /api/v2/variables/${key}.`)
    await variables.save({ key, value, description: description ?? null })
    return c.json(present(await find(key)), 201)
  })
  door.patch('/api/v2/variables/:key', permit('variables.write'), async (c) => {
    const old = await find(c.req.param('key'))
    const { value = MASK, description } = await readJson(c.req.raw, Patch)
    // A client that leaves the value out, or sends the mask back, has not changed it.
    await variables.save({ key: old.key, value: value === MASK ? old.value : value, description: description ?? old.description })
    return c.json(present(await find(old.key)))
  })
  door.delete('/api/v2/variables/:key', permit('variables.write'), async (c) => {
    await find(c.req.param('key'))
    await variables.delete(c.req.param('key'))
    return c.body(null, 204)
  })
  return door
}

const present = ({ key, value, description }: Variable) => ({
  key,
  value: isSensitiveName(key) ? MASK : value,
  description,
  is_encrypted: true,
})
