/** Airflow's `/api/v2/connections`: passwords never leave, sensitive extras leave masked. */
import { z } from 'zod'
import { AppError, didYouMean } from '../../core/app-error.ts'
import { type Connection, type ConnectionStore, parseExtra } from '../../secrets/connection.ts'
import { MASK, maskFields, merge } from '../../secrets/masking.ts'
import { readBody } from '../airflow-body.ts'
import { bulk, bulkBody, masked } from '../airflow-bulk.ts'
import { airflowErrors, badRequest } from '../airflow-error.ts'
import { many, ordering, pageOf, paging, text as pattern, patternOf, patterns, readQuery } from '../airflow-query.ts'
import { only, type Recorder, recorded } from '../airflow-record.ts'
import { createDoor, type Door, permit } from '../door.ts'

const text = z.string().nullish()

const Body = z.strictObject({
  connection_id: z.string().regex(/^(?!\.{1,2}$)[\w.-]{1,250}$/, 'must be letters, digits, "_", "." or "-", and not "." or ".."'),
  conn_type: z.string().min(1),
  host: text,
  port: z.number().int().min(1).max(65535).nullish(),
  schema: text,
  login: text,
  password: text,
  extra: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  description: text,
  team_name: z.null().optional(),
})
type Body = z.infer<typeof Body>

const ORDERS = {
  id: 'id',
  conn_id: 'id',
  connection_id: 'id',
  conn_type: 'type',
  description: 'description',
  host: 'host',
  port: 'port',
  team_name: 'id',
} as const

export interface ConnectionsDoorOptions {
  readonly connections: ConnectionStore
  /** What `POST /api/v2/connections/defaults` makes of what is missing. */
  readonly defaults?: readonly Connection[]
  readonly recorder: Recorder
}

export function connectionsDoor({ connections, defaults = [], recorder }: ConnectionsDoorOptions): Door {
  const door = createDoor(airflowErrors)
  const path = '/api/v2/connections'
  // Whoever may read the event log may not read Connections.
  const named = { shown: only('connection_id', 'conn_type', 'actions', 'action', 'entities') }

  const find = async (id: string): Promise<Connection> => {
    const connection = await connections.find(id)
    if (connection) return connection
    const known = await connections.ids()
    throw new AppError('not_found', `There is no connection "${id}".${didYouMean(id, known)} GET /api/v2/connections lists them.`)
  }

  door.get(path, permit('connections.read'), async (c) => {
    const query = readQuery(c.req, { ...paging, ...ordering(ORDERS), ...patterns('connection_id') })
    const found = await connections.page({ ...pageOf(query), sort: query.order_by ?? [], idPattern: patternOf(query, 'connection_id') })
    return c.json({ connections: found.connections.map(present), total_entries: found.total })
  })
  door.get(`${path}/:id`, permit('connections.read'), async (c) => c.json(present(await find(c.req.param('id')))))

  door.post(path, permit('connections.write'), recorded(recorder, 'post_connection', named), async (c) => {
    const body = await readBody(c.req.raw, Body)
    if (await connections.find(body.connection_id))
      throw new AppError(
        'conflict',
        `There is a connection "${body.connection_id}" already. Change it with PATCH /api/v2/connections/${body.connection_id}.`,
      )
    await connections.save(toConnection(body, null))
    return c.json(present(await find(body.connection_id)), 201)
  })

  // A test would let whoever may write connections reach any host from here; in Airflow, too, it is switched off unless somebody wants it.
  door.post(`${path}/test`, permit('connections.write'), async (c) => {
    await readBody(c.req.raw, Body)
    return c.json({ status: false, message: 'Testing connections is switched off here. Run a task that uses the connection.' })
  })

  door.post(`${path}/defaults`, permit('connections.write'), recorded(recorder, 'create_default_connections'), async (c) => {
    for (const connection of defaults) if (!(await connections.find(connection.id))) await connections.save(connection)
    return c.body(null, 204)
  })

  door.patch(path, permit('connections.write'), recorded(recorder, 'bulk_connections', named), async (c) =>
    c.json(
      await bulk<Body, Body>(await readBody(c.req.raw, bulkBody(Body, Body)), {
        noun: 'connection',
        keyOf: (each) => each.connection_id,
        has: async (id) => (await connections.find(id)) !== null,
        create: (each) => connections.save(toConnection(each, null)),
        update: async (each: Body, mask) => connections.save(change(each, await find(each.connection_id), mask)),
        delete: async (id) => void (await connections.delete(id)),
      }),
    ),
  )

  door.patch(`${path}/:id`, permit('connections.write'), recorded(recorder, 'patch_connection', named), async (c) => {
    const old = await find(c.req.param('id'))
    const { update_mask } = readQuery(c.req, { update_mask: many(pattern) })
    const body = await readBody(c.req.raw, Body)
    if (body.connection_id !== old.id) {
      const msg = `The body names connection "${body.connection_id}", the address "${old.id}". An id cannot change.`
      throw badRequest(msg, [{ loc: ['body', 'connection_id'], msg, type: 'value_error' }])
    }
    await connections.save(change(body, old, update_mask))
    return c.json(present(await find(old.id)))
  })

  door.delete(`${path}/:id`, permit('connections.write'), recorded(recorder, 'delete_connection'), async (c) => {
    await find(c.req.param('id'))
    await connections.delete(c.req.param('id'))
    return c.body(null, 204)
  })
  return door
}

const change = (body: Body, old: Connection, mask: readonly string[] | undefined): Connection =>
  toConnection({ conn_type: old.type, ...masked(body, mask), connection_id: old.id }, old)

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
    extra: body.extra === undefined ? (old?.extra ?? {}) : (merge(readExtra(body), old?.extra ?? {}) as Record<string, unknown>),
    description: keep(body.description, old?.description),
  }
}

function readExtra({ extra, connection_id }: z.infer<typeof Body>): Record<string, unknown> {
  if (extra === null || extra === undefined || extra === '') return {}
  return typeof extra === 'string' ? parseExtra(connection_id, extra) : extra
}

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
  team_name: null,
})
