/** Airflow's `/api/v2/connections`: passwords never leave, sensitive extras leave masked. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import { type Connection, type ConnectionStore, parseExtra } from '../../secrets/connection.ts'
import { MASK, maskFields } from '../../secrets/masking.ts'
import { airflowErrorBody } from '../airflow-error.ts'
import { paging } from '../airflow-paging.ts'
import { createDoor, type Door, permit } from '../door.ts'
import { readJson } from '../json-body.ts'

const text = z.string().nullish()

const Body = z.object({
  connection_id: z.string().regex(/^[\w.-]{1,250}$/, 'must be letters, digits, "_", "." or "-"'),
  conn_type: z.string().min(1),
  host: text,
  port: z.number().int().min(1).max(65535).nullish(),
  schema: text,
  login: text,
  password: text,
  extra: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  description: text,
})

export function connectionsDoor({ connections }: { readonly connections: ConnectionStore }): Door {
  const door = createDoor({ errorBody: airflowErrorBody })

  const find = async (id: string): Promise<Connection> => {
    const connection = await connections.find(id)
    if (connection) return connection
    throw new AppError('not_found', `There is no connection "${id}". GET /api/v2/connections lists them.`)
  }

  door.get('/api/v2/connections', permit('connections.read'), async (c) => {
    const { limit, offset } = paging((name) => c.req.query(name))
    const all = await connections.list()
    return c.json({ connections: all.slice(offset, offset + limit).map(present), total_entries: all.length })
  })
  door.get('/api/v2/connections/:id', permit('connections.read'), async (c) => c.json(present(await find(c.req.param('id')))))
  door.post('/api/v2/connections', permit('connections.write'), async (c) => {
    const body = await readJson(c.req.raw, Body)
    if (await connections.find(body.connection_id))
      throw new AppError(
        'conflict',
        `There is a connection "${body.connection_id}" already. Change it with PATCH /api/v2/connections/${body.connection_id}.`,
      )
    await connections.save(toConnection(body, null))
    return c.json(present(await find(body.connection_id)), 201)
  })
  door.patch('/api/v2/connections/:id', permit('connections.write'), async (c) => {
    const old = await find(c.req.param('id'))
    const body = await readJson(c.req.raw, Body)
    if (body.connection_id !== old.id)
      throw new AppError('invalid', `The body names connection "${body.connection_id}", the address "${old.id}". An id cannot change.`)
    await connections.save(toConnection(body, old))
    return c.json(present(await find(old.id)))
  })
  door.delete('/api/v2/connections/:id', permit('connections.write'), async (c) => {
    await find(c.req.param('id'))
    await connections.delete(c.req.param('id'))
    return c.body(null, 204)
  })
  return door
}

/** What the body leaves out stays as it was; a mask that comes back is no change either. */
function toConnection(body: z.infer<typeof Body>, old: Connection | null): Connection {
  const keep = <T>(given: T | null | undefined, before: T | null | undefined): T | null => (given === undefined ? (before ?? null) : given)
  return {
    id: body.connection_id,
    type: body.conn_type,
    host: keep(body.host, old?.host),
    port: keep(body.port, old?.port),
    schema: keep(body.schema, old?.schema),
    login: keep(body.login, old?.login),
    password: body.password === MASK ? (old?.password ?? null) : keep(body.password, old?.password),
    extra: body.extra === undefined ? (old?.extra ?? {}) : unmask(readExtra(body), old?.extra ?? {}),
    description: keep(body.description, old?.description),
  }
}

function readExtra({ extra, connection_id }: z.infer<typeof Body>): Record<string, unknown> {
  if (extra === null || extra === undefined || extra === '') return {}
  return typeof extra === 'string' ? parseExtra(connection_id, extra) : extra
}

const unmask = (extra: Record<string, unknown>, before: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(extra).map(([name, value]) => [name, value === MASK ? before[name] : value]))

const present = (connection: Connection) => ({
  connection_id: connection.id,
  conn_type: connection.type,
  host: connection.host,
  port: connection.port,
  schema: connection.schema,
  login: connection.login,
  password: connection.password === null ? null : MASK,
  extra: JSON.stringify(maskFields(connection.extra)),
  description: connection.description,
})
