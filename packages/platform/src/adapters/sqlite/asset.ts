/** Assets, their updates, and the updates that still wait for a run, in SQLite. */
import type { AssetDocument } from '@daggerboard/dag'
import { AppError } from '../../core/app-error.ts'
import type { Asset, AssetEvent, AssetPage, AssetStore, QueuedAssetEvent } from '../../scheduling/asset.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'
import { shapeTable } from './table-shape.ts'

const TABLES = [
  `CREATE TABLE asset (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, uri TEXT NOT NULL, asset_group TEXT NOT NULL, extra TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, is_active INTEGER NOT NULL) STRICT`,
  `CREATE TABLE asset_alias (alias TEXT NOT NULL, asset_id INTEGER NOT NULL, PRIMARY KEY (alias, asset_id)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE asset_event (
    id INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL, extra TEXT NOT NULL, at TEXT NOT NULL, dag_id TEXT, run_id TEXT, task_id TEXT,
    map_index INTEGER, created_by TEXT NOT NULL, aliases TEXT NOT NULL) STRICT`,
  `CREATE TABLE asset_event_run (
    dag_id TEXT NOT NULL, run_id TEXT NOT NULL, event_id INTEGER NOT NULL, PRIMARY KEY (dag_id, run_id, event_id)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE asset_queue (
    dag_id TEXT NOT NULL, event_id INTEGER NOT NULL, asset_id INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (dag_id, event_id)) STRICT, WITHOUT ROWID`,
]

const INDICES = `
  CREATE INDEX IF NOT EXISTS asset_event_of_asset ON asset_event (asset_id, at);
  CREATE INDEX IF NOT EXISTS asset_event_by_time ON asset_event (at);
  CREATE INDEX IF NOT EXISTS asset_event_of_task ON asset_event (dag_id, run_id, task_id);
  CREATE INDEX IF NOT EXISTS asset_event_run_of_event ON asset_event_run (event_id);
  CREATE INDEX IF NOT EXISTS asset_queue_of_asset ON asset_queue (asset_id)`

const EVENTS = 'asset_event JOIN asset ON asset.id = asset_event.asset_id'

const EVENT_COLUMNS = 'asset_event.*, asset.name, asset.uri, asset.asset_group'

export class SqliteAssetStore implements AssetStore {
  #db: Database

  constructor(db: Database) {
    this.#db = db
    for (const table of TABLES) shapeTable(db, table)
    db.migrate(INDICES)
  }

  async find(id: number): Promise<Asset | null> {
    const row = this.#db.get<AssetRow>('SELECT * FROM asset WHERE id = ?', id)
    return row ? toAsset(row) : null
  }

  async findByName(name: string): Promise<Asset | null> {
    const row = this.#db.get<AssetRow>('SELECT * FROM asset WHERE name = ?', name)
    return row ? toAsset(row) : null
  }

  async list(): Promise<Asset[]> {
    return this.#db.all<AssetRow>('SELECT * FROM asset ORDER BY name').map(toAsset)
  }

  async page({ namePattern, uriPattern, names, onlyActive, sort, limit, offset }: AssetPage): Promise<{ assets: Asset[]; total: number }> {
    const { where, values } = new Conditions()
      .equal('is_active', onlyActive ? 1 : undefined)
      .like('name', namePattern)
      .like('uri', uriPattern)
      .in('name', names)
    const order = orderBy(sort, { id: 'id', name: 'name', uri: 'uri', createdAt: 'created_at', updatedAt: 'updated_at' }, 'name')
    const rows = this.#db.all<AssetRow>(`SELECT * FROM asset${where}${order} LIMIT ? OFFSET ?`, ...values, limit, offset)
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM asset${where}`, ...values)
    return { assets: rows.map(toAsset), total: count?.total ?? 0 }
  }

  async sync(named: readonly AssetDocument[], at: string): Promise<void> {
    const known = new Map((await this.list()).map((asset) => [asset.name, asset]))
    const names = new Set(named.map(({ name }) => name))
    const changed = named.filter((asset) => !isSame(known.get(asset.name), asset))
    const gone = [...known.values()].filter((asset) => asset.isActive && !names.has(asset.name))
    if (changed.length === 0 && gone.length === 0) return
    this.#db.transaction(() => {
      for (const asset of changed) this.#save(asset, at)
      // What stands behind an alias is named by no file.
      const retire = 'UPDATE asset SET is_active = 0, updated_at = ? WHERE id = ? AND id NOT IN (SELECT asset_id FROM asset_alias)'
      for (const { id } of gone) this.#db.run(retire, at, id)
    })
  }

  async ensure(assets: readonly AssetDocument[], at: string): Promise<Asset[]> {
    return this.#db.transaction(() =>
      assets.map((asset) => {
        const known = this.#db.get<AssetRow>('SELECT * FROM asset WHERE name = ?', asset.name)
        if (known) return toAsset(known)
        this.#save(asset, at)
        return toAsset(this.#db.get<AssetRow>('SELECT * FROM asset WHERE name = ?', asset.name) as AssetRow)
      }),
    )
  }

  async aliasMembers(): Promise<Map<string, Set<string>>> {
    const found = new Map<string, Set<string>>()
    const rows = this.#db.all<{ alias: string; name: string }>('SELECT alias, name FROM asset_alias JOIN asset ON asset.id = asset_id')
    for (const { alias, name } of rows) found.set(alias, (found.get(alias) ?? new Set()).add(name))
    return found
  }

  async lastEventId(): Promise<number> {
    return this.#db.get<{ id: number | null }>('SELECT max(id) AS id FROM asset_event')?.id ?? 0
  }

  async events({
    limit,
    offset,
    descending,
    ...filter
  }: Parameters<AssetStore['events']>[0]): Promise<{ events: AssetEvent[]; total: number }> {
    const { where, values } = conditions([
      ['asset_event.asset_id = ?', filter.assetId],
      ['dag_id = ?', filter.dagId],
      ['run_id = ?', filter.runId],
      ['task_id = ?', filter.taskId],
      ['map_index = ?', filter.mapIndex],
      ['at >= ?', filter.after],
      ['at <= ?', filter.before],
    ])
    const order = descending ? 'DESC' : 'ASC'
    const rows = this.#db.all<EventRow>(
      `SELECT ${EVENT_COLUMNS} FROM ${EVENTS} WHERE ${where} ORDER BY at ${order}, asset_event.id ${order} LIMIT ? OFFSET ?`,
      ...values,
      limit,
      offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total FROM asset_event WHERE ${where}`, ...values)
    return { events: rows.map(toEvent), total: count?.total ?? 0 }
  }

  async eventsOfRun(dagId: string, runId: string): Promise<AssetEvent[]> {
    const sql = `SELECT ${EVENT_COLUMNS} FROM ${EVENTS} WHERE asset_event.id IN
      (SELECT event_id FROM asset_event_run WHERE dag_id = ? AND run_id = ?) ORDER BY at, asset_event.id`
    return this.#db.all<EventRow>(sql, dagId, runId).map(toEvent)
  }

  async runsOfEvents(eventIds: readonly number[]): Promise<{ eventId: number; dagId: string; runId: string }[]> {
    return this.#db.all(
      `SELECT event_id AS eventId, dag_id AS dagId, run_id AS runId FROM asset_event_run
       WHERE event_id IN (SELECT value FROM json_each(?)) ORDER BY event_id, dag_id, run_id`,
      JSON.stringify(eventIds),
    )
  }

  async queued(query: Parameters<AssetStore['queued']>[0]): Promise<QueuedAssetEvent[]> {
    const { where, values } = queueConditions(query)
    return this.#db.all<QueueRow>(`SELECT * FROM asset_queue WHERE ${where} ORDER BY dag_id, event_id`, ...values).map(toQueued)
  }

  async deleteQueued(query: Parameters<AssetStore['deleteQueued']>[0]): Promise<number> {
    const { where, values } = queueConditions(query)
    return this.#db.run(`DELETE FROM asset_queue WHERE ${where}`, ...values).changes
  }

  async deleteOfDag(dagId: string): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM asset_queue WHERE dag_id = ?', dagId)
      this.#db.run('DELETE FROM asset_event_run WHERE dag_id = ?', dagId)
    })
  }

  /** Writes an event with the number that the caller has counted up. At once, so that it may be part of the commit of a turn. */
  putEvent({ id, assetId, extra, at, source, createdBy, aliases }: AssetEvent): void {
    const { changes } = this.#db.run(
      'INSERT INTO asset_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
      id,
      assetId,
      JSON.stringify(extra),
      at,
      source?.dagId ?? null,
      source?.runId ?? null,
      source?.taskId ?? null,
      source?.mapIndex ?? null,
      createdBy,
      JSON.stringify(aliases),
    )
    if (changes === 0) throw new AppError('conflict', `Asset event ${id} cannot be created: there is one already.`)
    for (const alias of aliases) this.#db.run('INSERT INTO asset_alias VALUES (?, ?) ON CONFLICT DO NOTHING', alias, assetId)
  }

  /** Writes that an event waits for a run of a DAG. At once, as {@link putEvent}. */
  putQueued({ dagId, eventId, assetId, at }: QueuedAssetEvent): void {
    this.#db.run('INSERT INTO asset_queue VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', dagId, eventId, assetId, at)
  }

  /** Writes that events have got their run. At once, as {@link putEvent}. */
  consume({ dagId, runId }: { readonly dagId: string; readonly runId: string }, events: readonly QueuedAssetEvent[]): void {
    for (const { eventId } of events) {
      this.#db.run('DELETE FROM asset_queue WHERE dag_id = ? AND event_id = ?', dagId, eventId)
      this.#db.run('INSERT INTO asset_event_run VALUES (?, ?, ?) ON CONFLICT DO NOTHING', dagId, runId, eventId)
    }
  }

  #save({ name, uri, group, extra }: AssetDocument, at: string): void {
    this.#db.run(
      `INSERT INTO asset (name, uri, asset_group, extra, created_at, updated_at, is_active) VALUES (?, ?, ?, ?, ?, ?, 1)
       ON CONFLICT (name) DO UPDATE SET uri = excluded.uri, asset_group = excluded.asset_group, extra = excluded.extra,
         updated_at = excluded.updated_at, is_active = 1`,
      name,
      uri,
      group,
      JSON.stringify(extra),
      at,
      at,
    )
  }
}

type Condition = readonly [sql: string, value: string | number | undefined]

function conditions(all: readonly Condition[]): { where: string; values: (string | number)[] } {
  const given = all.filter(([, value]) => value !== undefined)
  return { where: ['1 = 1', ...given.map(([sql]) => sql)].join(' AND '), values: given.map(([, value]) => value as string | number) }
}

const queueConditions = ({ dagId, assetId, before }: Parameters<AssetStore['queued']>[0]) =>
  conditions([
    ['dag_id = ?', dagId],
    ['asset_id = ?', assetId],
    ['at < ?', before],
  ])

const isSame = (known: Asset | undefined, { uri, group, extra }: AssetDocument): boolean =>
  known?.isActive === true && known.uri === uri && known.group === group && JSON.stringify(known.extra) === JSON.stringify(extra)

interface AssetRow {
  id: number
  name: string
  uri: string
  asset_group: string
  extra: string
  created_at: string
  updated_at: string
  is_active: number
}

interface EventRow {
  id: number
  asset_id: number
  name: string
  uri: string
  asset_group: string
  extra: string
  at: string
  dag_id: string | null
  run_id: string | null
  task_id: string | null
  map_index: number | null
  created_by: string
  aliases: string
}

interface QueueRow {
  dag_id: string
  event_id: number
  asset_id: number
  at: string
}

const toAsset = (row: AssetRow): Asset => ({
  id: row.id,
  name: row.name,
  uri: row.uri,
  group: row.asset_group,
  extra: JSON.parse(row.extra) as Record<string, unknown>,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  isActive: row.is_active === 1,
})

const toEvent = (row: EventRow): AssetEvent => ({
  id: row.id,
  assetId: row.asset_id,
  name: row.name,
  uri: row.uri,
  group: row.asset_group,
  extra: JSON.parse(row.extra) as Record<string, unknown>,
  at: row.at,
  source:
    row.dag_id === null || row.run_id === null || row.task_id === null
      ? null
      : { dagId: row.dag_id, runId: row.run_id, taskId: row.task_id, mapIndex: row.map_index ?? -1 },
  createdBy: row.created_by,
  aliases: JSON.parse(row.aliases) as string[],
})

const toQueued = (row: QueueRow): QueuedAssetEvent => ({ dagId: row.dag_id, assetId: row.asset_id, eventId: row.event_id, at: row.at })
