import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AssetCondition, AssetDocument } from '@daggerboard/dag'
import { madeUpDag } from '../../test/made-up-dag.ts'
import type { AssetEvent, QueuedAssetEvent } from './asset.ts'
import { assetRun, assetsNamed, checkAsset, isMet, queueEvent, updatesOf } from './asset-condition.ts'

const NOW = new Date('2024-01-05T12:00:00Z')
const NAMES = new Map([
  [1, 'wind'],
  [2, 'prices'],
  [3, 'forecast'],
])
const NO_ALIASES = new Map<string, Set<string>>()

const asset = (name: string, facts: Partial<AssetDocument> = {}): AssetDocument => ({
  name,
  uri: name,
  group: 'asset',
  extra: {},
  ...facts,
})
const is = (name: string): AssetCondition => ({ asset: asset(name) })

const event = (id: number, assetId: number, at: string, aliases: string[] = []): AssetEvent => ({
  id,
  assetId,
  name: NAMES.get(assetId) ?? '',
  uri: '',
  group: 'asset',
  extra: {},
  at,
  source: null,
  createdBy: 'ann',
  aliases,
})

const queued = (eventId: number, assetId: number, at: string, dagId = 'train'): QueuedAssetEvent => ({ dagId, assetId, eventId, at })

test('conditions hold for any of some assets, for all of them, and for both together', () => {
  const condition = { all: [is('wind'), { any: [is('prices'), is('forecast')] }] }
  const met = (...names: string[]) => isMet(condition, new Set(names), NO_ALIASES)
  assert.deepEqual([met('wind'), met('prices', 'forecast'), met('wind', 'forecast'), met('wind', 'prices')], [false, false, true, true])
})

test('an alias stands for each asset that was ever updated through it', () => {
  const aliases = new Map([['raw', new Set(['wind', 'prices'])]])
  assert.equal(isMet({ alias: 'raw' }, new Set(['prices']), aliases), true)
  assert.equal(isMet({ alias: 'raw' }, new Set(['forecast']), aliases), false)
  assert.equal(isMet({ alias: 'unknown' }, new Set(['prices']), aliases), false)
})

test('an event waits for a run of each DAG that names its asset or its alias', () => {
  const subscriptions = [
    { dagId: 'train', condition: { all: [is('wind'), is('prices')] } },
    { dagId: 'predict', condition: { alias: 'raw' } },
    { dagId: 'report', condition: is('forecast') },
  ]
  const dags = (of: AssetEvent, aliases = NO_ALIASES) => queueEvent(of, subscriptions, aliases).map(({ dagId }) => dagId)
  assert.deepEqual(dags(event(1, 1, '')), ['train'])
  assert.deepEqual(dags(event(1, 1, '', ['raw'])), ['train', 'predict'], 'also the first time that it comes through the alias')
  assert.deepEqual(dags(event(1, 1, ''), new Map([['raw', new Set(['wind'])]])), ['train', 'predict'])
})

test('a DAG runs once for all events that wait for it, as soon as nothing is missing', () => {
  const train = { dagId: 'train', condition: { all: [is('wind'), is('prices')] } }
  const waiting = [
    queued(1, 1, '2024-01-05T10:00:00.000Z'),
    queued(2, 1, '2024-01-05T11:00:00.000Z'),
    queued(9, 2, '2024-01-05T09:00:00.000Z', 'other'),
  ]
  assert.equal(assetRun(train, waiting, NAMES, NO_ALIASES, NOW), null)
  const made = assetRun(train, [...waiting, queued(3, 2, '2024-01-05T10:30:00.000Z')], NAMES, NO_ALIASES, NOW)
  assert.deepEqual(
    made?.consumed.map(({ eventId }) => eventId),
    [1, 2, 3],
  )
  const run = made?.run
  assert.match(run?.runId ?? '', /^asset_triggered__2024-01-05T11:00:00\+00:00_[0-9a-f]{8}$/)
  assert.deepEqual([run?.runType, run?.triggeredBy, run?.logicalDate], ['asset_triggered', 'asset', null])
  assert.deepEqual([run?.dataIntervalStart, run?.dataIntervalEnd], ['2024-01-05T10:00:00.000Z', '2024-01-05T11:00:00.000Z'])
})

test('a success updates the assets among its outlets, with what the task says more of them', () => {
  const outlets = [{ asset: asset('wind') }, { alias: 'raw' }]
  const reported = [
    { name: 'wind', extra: { rows: 3 } },
    { name: 'prices', alias: 'raw', extra: {} },
    { name: 'prices', alias: 'not declared', extra: {} },
    { name: 'not declared', extra: {} },
  ]
  assert.deepEqual(updatesOf(outlets, reported), [
    { name: 'wind', extra: { rows: 3 }, aliases: [] },
    { name: 'prices', extra: {}, aliases: ['raw'] },
  ])
  assert.deepEqual(updatesOf(outlets), [{ name: 'wind', extra: {}, aliases: [] }])
})

test('the assets of DAGs are those that they wait for, read and update; who says more of one counts', () => {
  const full = asset('wind', { uri: 's3://data/wind.csv' })
  const documents = [
    madeUpDag({ a: { inlets: [{ asset: asset('prices') }], outlets: [{ asset: asset('wind') }, { alias: 'raw' }] } }),
    madeUpDag({ b: {} }, { schedule: { kind: 'assets', condition: { all: [{ asset: full }, is('forecast')] }, text: '' } }),
  ]
  assert.deepEqual(assetsNamed(documents), [asset('prices'), full, asset('forecast')])
})

test('names and addresses of assets are checked, and no password gets into one', () => {
  assert.doesNotThrow(() => checkAsset(asset('wind data', { uri: 's3://data/wind.csv' })))
  for (const [name, uri] of [
    ['', 'a'],
    [' a', 'a'],
    ['a\n', 'a'],
    ['a', 'a b'],
    ['a', 'airflow://x'],
    ['a', 'postgres://ann:secret@db/wind'],
    ['a', 'x'.repeat(1501)],
  ] as const) {
    assert.throws(() => checkAsset(asset(name, { uri })), { code: 'invalid' }, `${name} ${uri}`)
  }
})
