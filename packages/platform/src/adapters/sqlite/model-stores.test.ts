import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from '../../core/clock.ts'
import { Events } from '../../core/events.ts'
import { system } from '../../core/principal.ts'
import { createModelRegistry } from '../../models/registry.ts'
import { FilesystemArtifactStore } from '../filesystem/artifact.ts'
import { Database } from './database.ts'
import { sqliteModelStores } from './model-stores.ts'

const clock = new ManualClock('2026-01-05T05:00:00Z')
const registryOf = (db: Database) =>
  createModelRegistry({
    stores: sqliteModelStores({ db, clock }),
    artifacts: new FilesystemArtifactStore({ folder: '/nowhere' }),
    clock,
    events: new Events(clock),
  })

test('what was committed is there when the store is opened again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'daggerboard-models-'))
  const first = new Database(join(folder, 'platform.db'))
  const before = registryOf(first)
  const run = await before.runs.create({ experimentId: '0', name: 'kept' }, system)
  await before.runs.log(run.id, { metrics: [{ key: 'auc', value: 0.7, timestamp: 1, step: 0 }] })
  // The first connection is never closed: a killed platform does not close it either.
  const second = new Database(join(folder, 'platform.db'))
  const after = await registryOf(second).runs.get(run.id)
  assert.deepEqual([after.name, after.data.metrics[0]?.value, after.createdBy], ['kept', 0.7, 'system'])
  first.close()
  second.close()
  await rm(folder, { recursive: true })
})

test('runs without the metric of the order come last, after those where it is not a number', async () => {
  const { runs } = registryOf(new Database(':memory:'))
  for (const [name, value] of Object.entries({
    low: 0.1,
    none: undefined,
    odd: Number.NaN,
    high: 0.9,
    infinite: Number.NEGATIVE_INFINITY,
  })) {
    const { id } = await runs.create({ experimentId: '0', name }, system)
    if (value !== undefined) await runs.log(id, { metrics: [{ key: 'auc', value, timestamp: 1, step: 0 }] })
  }
  const inOrder = async (orderBy: string) => (await runs.search({ experimentIds: ['0'], orderBy: [orderBy] })).items.map(({ name }) => name)
  assert.deepEqual(await inOrder('metrics.auc DESC'), ['high', 'low', 'infinite', 'odd', 'none'])
  assert.deepEqual(await inOrder('metrics.auc ASC'), ['infinite', 'low', 'high', 'odd', 'none'])
})

test('what a user wrote is never part of the SQL', async () => {
  const { runs } = registryOf(new Database(':memory:'))
  const { id } = await runs.create({ experimentId: '0' }, system)
  await runs.log(id, { tags: [{ key: 'k', value: "'); DROP TABLE run_tag; --" }] })
  const hostile = "tags.`k' OR 1=1 --` = 'x' AND tags.k = '''); DROP TABLE run_tag; --'"
  assert.equal((await runs.search({ experimentIds: ['0'], filter: hostile })).items.length, 0)
  const exact = "tags.k = '''); DROP TABLE run_tag; --'"
  assert.equal((await runs.search({ experimentIds: ['0'], filter: exact })).items.length, 1)
  const stars = await runs.search({ experimentIds: ['0'], filter: "tags.k LIKE '*DROP*'" })
  assert.equal(stars.items.length, 0, 'only % and _ are patterns')
})

test('a model that is no prompt is found by the search that leaves prompts out', async () => {
  const { registeredModels } = registryOf(new Database(':memory:'))
  await registeredModels.create({ name: 'model' }, system)
  await registeredModels.create({ name: 'prompt', tags: [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] }, system)
  const { items } = await registeredModels.search({ filter: "tags.`mlflow.prompt.is_prompt` != 'true'" })
  assert.deepEqual(
    items.map(({ name }) => name),
    ['model'],
  )
})
