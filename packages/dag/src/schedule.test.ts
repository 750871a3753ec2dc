import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../test/refusal.ts'
import { all, any, asset, assetAlias, assetsOrTime, cronTrigger, dag, delta, deltaTrigger, events, type Schedule } from './index.ts'

const documentOf = (schedule: Schedule, options = {}) => dag('d', { schedule, ...options }, () => {}).document.schedule

test('times are said by cron, presets, triggers, lengths of time and dates', () => {
  assert.deepEqual(documentOf('@weekly'), { kind: 'cron', expression: '0 0 * * 0', interval: true, text: '@weekly' })
  assert.deepEqual(documentOf('@once'), { kind: 'once', text: '@once' })
  assert.deepEqual(documentOf(null), { kind: 'none' })
  assert.deepEqual(documentOf('@continuous', { maxActiveRuns: 1 }), { kind: 'continuous', text: '@continuous' })
  assert.deepEqual(documentOf(cronTrigger('@daily')), {
    kind: 'cronTrigger',
    expressions: ['0 0 * * *'],
    intervalSeconds: 0,
    runImmediately: false,
    text: '@daily',
  })
  assert.deepEqual(documentOf(cronTrigger(['0 5 * * 1', '0 6 * * 2'], { interval: '7d', runImmediately: '1h' })), {
    kind: 'cronTrigger',
    expressions: ['0 5 * * 1', '0 6 * * 2'],
    intervalSeconds: 604_800,
    runImmediately: 3600,
    text: '0 5 * * 1, 0 6 * * 2',
  })
  assert.deepEqual(documentOf(delta({ hours: 36 })), { kind: 'delta', seconds: 129_600, interval: true, text: 'every 1d 12h' })
  assert.deepEqual(documentOf(deltaTrigger('90s', { interval: '1m' })), {
    kind: 'deltaTrigger',
    seconds: 90,
    intervalSeconds: 60,
    text: 'every 1m 30s',
  })
  assert.deepEqual(
    documentOf(events(['2026-11-08', '2026-11-02T05:00', '2026-11-08'], { restricts: true }), { timezone: 'Europe/Paris' }),
    {
      kind: 'events',
      dates: ['2026-11-02T04:00:00.000Z', '2026-11-07T23:00:00.000Z'],
      restricts: true,
      text: '2 events between 2026-11-02T04:00:00.000Z and 2026-11-07T23:00:00.000Z',
    },
  )
})

test('assets make a schedule: one, a list of which all count, or any of them, also beside times', () => {
  const rows = asset({ name: 'rows', uri: 'gs://shop/rows.csv', group: 'shop', extra: { owner: 'ml' } })
  const prices = asset('prices')
  const [rowsDocument, pricesDocument] = [
    { asset: { name: 'rows', uri: 'gs://shop/rows.csv', group: 'shop', extra: { owner: 'ml' } } },
    { asset: { name: 'prices', uri: 'prices', group: 'asset', extra: {} } },
  ]
  assert.deepEqual(documentOf(rows), { kind: 'assets', condition: rowsDocument, text: 'rows' })
  assert.deepEqual(documentOf([rows, prices]), {
    kind: 'assets',
    condition: { all: [rowsDocument, pricesDocument] },
    text: 'rows and prices',
  })
  assert.deepEqual(documentOf(rows.or(prices).and(assetAlias('late'))), {
    kind: 'assets',
    condition: { all: [{ any: [rowsDocument, pricesDocument] }, { alias: 'late' }] },
    text: '(rows or prices) and late',
  })
  assert.deepEqual(documentOf(all(rows, any(prices, assetAlias('late')))), {
    kind: 'assets',
    condition: { all: [rowsDocument, { any: [pricesDocument, { alias: 'late' }] }] },
    text: 'rows and (prices or late)',
  })
  assert.deepEqual(documentOf(assetsOrTime([prices], cronTrigger('0 5 * * 1'))), {
    kind: 'assetsOrTime',
    condition: { all: [pricesDocument] },
    time: { kind: 'cronTrigger', expressions: ['0 5 * * 1'], intervalSeconds: 0, runImmediately: false, text: '0 5 * * 1' },
    text: 'prices or 0 5 * * 1',
  })
})

test('a schedule that cannot be is refused with its mend', () => {
  const why = (schedule: Schedule, options = {}) => refusal(() => documentOf(schedule, options))
  assert.match(why('0 5 * *'), /has 4 fields; a cron expression has five/)
  assert.match(why('@continous'), /Did you mean "@continuous"\?/)
  assert.match(why('@continuous'), /"@continuous" needs maxActiveRuns: 1, but it is 16/)
  assert.match(why(cronTrigger(['0 5 * * 1', '5'])), /"5" has 1 fields/)
  assert.match(why(cronTrigger([])), /cronTrigger has no expression/)
  assert.match(why(delta('1 day' as '1d')), /The schedule delta "1 day" is not a length of time/)
  assert.match(why(delta('0s')), /must be longer than nothing/)
  assert.match(why(events(['soon'])), /The event "soon" is not a date/)
  assert.match(why(asset('')), /must have a name of 1 to 1500 characters/)
  assert.match(why(asset({ name: 'shop', uri: 'postgres://me:hunter22@shop/rows' })), /^(?!.*hunter22).*has a password in it/s)
  assert.match(why([]), /names no asset/)
  assert.match(why(assetsOrTime(asset('a'), 'nope')), /has 1 fields/)
  assert.match(why(7 as never), /The schedule 7 is none/)
})
