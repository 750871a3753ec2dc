/** The warehouse as the rest of the platform uses it: the events table, loading it, and slices of any table for a cluster. */
import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { AppError } from '../core/app-error.ts'
import { checkEventHeader, EVENT_COLUMNS, EVENTS_TABLE } from './event.ts'
import { type Interval, type LongWork, parseTableName, type TableStore } from './table.ts'

export class Warehouse {
  #tables: TableStore

  constructor({ tables }: { tables: TableStore }) {
    this.#tables = tables
  }

  /** Creates the table `shop.events`; nothing happens when it is there already. */
  async createEvents(): Promise<void> {
    await this.#tables.create(EVENTS_TABLE, EVENT_COLUMNS)
  }

  /**
   * Loads a real events file, `.csv` or `.csv.gz`, all of it or nothing, and answers the number of events. Throws `invalid` when the header or a value is wrong,
   * naming each column, line and mend. `replace` puts the file in the place of what is there.
   */
  async loadEvents(file: string, { replace = false, ...work }: { replace?: boolean } & LongWork = {}): Promise<number> {
    checkEventHeader(await firstLine(file), file)
    await this.createEvents()
    return this.#tables.load(EVENTS_TABLE, file, { replace, ...work })
  }

  /** The number of events in the interval, or of all. */
  async countEvents(interval: Interval | null = null): Promise<number> {
    await this.createEvents()
    return this.#tables.count(EVENTS_TABLE, 'event_time', interval)
  }

  /** The times of the first and the last event; null when there are none. */
  async eventRange(): Promise<Interval | null> {
    await this.createEvents()
    return this.#tables.range(EVENTS_TABLE, 'event_time')
  }

  /** Writes the rows of `table` that meet `filter` to the Parquet file `file` and answers how many there are. */
  exportSlice(table: string, filter: string | null, file: string, work: LongWork = {}): Promise<number> {
    return this.#tables.export({ table: parseTableName(table), filter, file }, work)
  }
}

async function firstLine(file: string): Promise<string> {
  await access(file).catch(() => {
    throw new AppError('not_found', `Cannot load events from "${file}": there is no such file. Check the path.`)
  })
  const raw = createReadStream(file)
  const text = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) return line
    return ''
  } catch (error) {
    throw new AppError(
      'invalid',
      `Cannot load events from "${file}": it is not a gzip file. Take the ".gz" from its name, or compress it.`,
      {
        cause: error,
      },
    )
  } finally {
    raw.destroy()
    text.destroy()
  }
}
