/** Keeps a table in the shape that the program expects, also in homes that an earlier version has made. */
import type { Database } from './database.ts'

const normal = (sql: string): string => sql.replace(/\s+/g, ' ').trim()

/**
 * Creates the table of `create` (`CREATE TABLE name (…) STRICT`). One of another shape is built anew, once, with all of its rows:
 * columns that are new get their default, so each of them needs one; columns that are gone are dropped.
 */
export function shapeTable(db: Database, create: string): void {
  const name = /^CREATE TABLE (\w+) /.exec(normal(create))?.[1] as string
  const known = db.get<{ sql: string }>(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, name)
  if (!known) db.migrate(create)
  else if (normal(known.sql) !== normal(create)) rebuild(db, name, create)
}

function rebuild(db: Database, name: string, create: string): void {
  db.transaction(() => {
    const old = `${name}_before`
    db.migrate(`ALTER TABLE ${name} RENAME TO ${old}; ${create}`)
    const before = new Set(columns(db, old))
    const kept = columns(db, name)
      .filter((column) => before.has(column))
      .join(', ')
    db.migrate(`INSERT INTO ${name} (${kept}) SELECT ${kept} FROM ${old} ORDER BY rowid; DROP TABLE ${old}`)
  })
}

const columns = (db: Database, table: string): string[] =>
  db.all<{ name: string }>('SELECT name FROM pragma_table_info(?)', table).map(({ name }) => name)
