/** Tags of the models room in SQLite: one table per noun, each with the columns of its owner, `key` and `value`. */
import type { Tag, TagChanges } from '../../models/limits.ts'
import type { Database } from './database.ts'
import { gather } from './search.ts'

type TagTable = 'experiment_tag' | 'run_tag' | 'logged_model_tag' | 'registered_model_tag' | 'model_version_tag'

/** Sets and takes away tags of the owner whose key columns are `owner`. Part of the caller's transaction. */
export function writeTags(db: Database, table: TagTable, owner: Readonly<Record<string, string | number>>, changes: TagChanges): void {
  const columns = Object.keys(owner)
  const keys = Object.values(owner)
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) {
      db.run(`DELETE FROM ${table} WHERE ${columns.map((column) => `${column} = ?`).join(' AND ')} AND key = ?`, ...keys, key)
      continue
    }
    const places = columns.map(() => '?, ').join('')
    const sql = `INSERT INTO ${table} (${columns.join(', ')}, key, value) VALUES (${places}?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`
    db.run(sql, ...keys, key, value)
  }
}

/** The tags of many owners at once, in the order of their keys. */
export function readTags(db: Database, table: TagTable, owner: string, ids: readonly (string | number)[]): Map<string, Tag[]> {
  const sql = `SELECT ${owner} AS owner, key, value FROM ${table} WHERE ${owner} IN (SELECT value FROM json_each(?)) ORDER BY key`
  const rows = ids.length === 0 ? [] : db.all<Tag & { owner: string | number }>(sql, JSON.stringify(ids))
  return gather(
    rows,
    (row) => String(row.owner),
    ({ key, value }) => ({ key, value }),
  )
}
