/** Lists of XComs in SQLite. */
import type { ListedXCom, XComColumn, XComList, XComListQuery } from '../../scheduling/xcom-list.ts'
import { Conditions, orderBy } from './conditions.ts'
import type { Database } from './database.ts'

const COLUMNS: Readonly<Record<XComColumn, string>> = {
  key: 'x.key',
  dagId: 'x.dag_id',
  runId: 'x.run_id',
  taskId: 'x.task_id',
  mapIndex: 'x.map_index',
  at: 'x.at',
  runAfter: 'r.run_after',
}

export class SqliteXComList implements XComList {
  #db: Database

  /** The stores of XComs and of runs have made the tables. */
  constructor(db: Database) {
    this.#db = db
  }

  async list(query: XComListQuery): Promise<{ xcoms: ListedXCom[]; total: number }> {
    const { where, values } = new Conditions()
      .equal('x.dag_id', query.dagId)
      .equal('x.run_id', query.runId)
      .equal('x.task_id', query.taskId)
      .equal('x.map_index', query.mapIndex)
      .equal('x.key', query.key)
      .like('x.key', query.keyPattern)
      .like('x.dag_id', query.dagIdPattern)
      .like('x.run_id', query.runIdPattern)
      .like('x.task_id', query.taskIdPattern)
      .range('r.logical_date', query.logicalDate)
      .range('r.run_after', query.runAfter)
    const from = `FROM xcom x JOIN dag_run r ON r.dag_id = x.dag_id AND r.run_id = x.run_id${where}`
    const xcoms = this.#db.all<ListedXCom & Record<string, unknown>>(
      `SELECT x.dag_id AS dagId, x.run_id AS runId, x.task_id AS taskId, x.map_index AS mapIndex, x.key, x.at,
         r.logical_date AS logicalDate, r.run_after AS runAfter ${from}
       ${orderBy(query.sort ?? [], COLUMNS, 'x.dag_id, x.run_id, x.task_id, x.map_index, x.key')} LIMIT ? OFFSET ?`,
      ...values,
      query.limit,
      query.offset,
    )
    const count = this.#db.get<{ total: number }>(`SELECT count(*) AS total ${from}`, ...values)
    return { xcoms, total: count?.total ?? 0 }
  }
}
