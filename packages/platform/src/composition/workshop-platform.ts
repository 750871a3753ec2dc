/** What tasks of a test are told about runs: of the test's own, and of those of the platform in the home. Nothing is triggered. */
import { SqliteAssetStore } from '../adapters/sqlite/asset.ts'
import { SqliteDagStore } from '../adapters/sqlite/dag.ts'
import { SqliteDagRunStore } from '../adapters/sqlite/dag-run.ts'
import { SqliteDagRunList } from '../adapters/sqlite/dag-run-list.ts'
import type { Database } from '../adapters/sqlite/database.ts'
import { SqliteTaskInstanceStore } from '../adapters/sqlite/task-instance.ts'
import { AppError } from '../core/app-error.ts'
import type { PlatformQuestion, TaskPlatform } from '../execution/task-question.ts'
import { StoredTaskPlatform } from './task-platform.ts'

export class WorkshopPlatform implements TaskPlatform {
  readonly #own: TaskPlatform
  readonly #home: TaskPlatform

  /** `home`: of the platform in the home; null without one. */
  constructor(own: Database, home: Database | null) {
    this.#own = reading(own)
    this.#home = home ? reading(home) : this.#own
  }

  async answer(question: PlatformQuestion, subject: string): Promise<unknown> {
    const { what } = question
    if (what === 'triggerRun') {
      throw new AppError(
        'conflict',
        `A test triggers no runs, so there is none of DAG "${question.dagId}". Start the platform, and run the DAG there.`,
      )
    }
    if (what === 'previousSuccess' || what === 'inletEvents') return this.#home.answer(question, subject)
    const own = await this.#own.answer(question, subject)
    const isThere = Array.isArray(own) ? own.length > 0 : own !== null
    return isThere || what === 'triggeringAssetEvents' ? own : this.#home.answer(question, subject)
  }
}

function reading(db: Database): TaskPlatform {
  const instances = new SqliteTaskInstanceStore(db)
  const runs = new SqliteDagRunStore(db, instances)
  const scheduler = () => {
    throw new AppError('internal', 'A test has no runs to change.')
  }
  const runList = new SqliteDagRunList(db, runs)
  return new StoredTaskPlatform({ scheduler, dags: new SqliteDagStore(db), runs, runList, instances, assets: new SqliteAssetStore(db) })
}
