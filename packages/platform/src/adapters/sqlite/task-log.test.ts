import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../core/clock.ts'
import { Database } from './database.ts'
import { SqliteTaskLogs } from './task-log.ts'

const of = { dagId: 'd', runId: 'r', taskId: 't', tryNumber: 1 }
const AT = '2019-10-07T05:00:00.000Z'

const logs = (options: { db?: Database; longest?: number } = {}) =>
  new SqliteTaskLogs({
    db: options.db ?? new Database(':memory:'),
    clock: new ManualClock(AT),
    mask: (text) => text.replaceAll('hunter22', '***'),
    ...(options.longest !== undefined && { longest: options.longest }),
  })

test('of a log that is too long the beginning and the end are kept, and how much is missing', async () => {
  const store = logs({ longest: 1_000_000 })
  const log = store.open(of)
  const block = `${'x'.repeat(99)}\n`.repeat(1000)
  log.write('first\n')
  for (let i = 0; i < 20; i++) log.write(block)
  log.write('last\n')
  log.close()
  const lines = ((await store.read(of)) ?? '').split('\n')
  assert.equal(lines[0], `${AT} first`)
  assert.equal(lines.at(-2), `${AT} last`)
  const told = lines.findIndex((line) => line.includes('lines are left out'))
  const missing = Number(/… (\d+) lines/.exec(lines[told] ?? '')?.[1])
  assert.equal(lines.length - 2 + missing, 20_000 + 2)
})

test('a log is read while it grows, and is still there when the platform starts anew', async () => {
  const db = new Database(':memory:')
  const store = logs({ db })
  assert.equal(await store.read(of), null)
  const log = store.open(of)
  log.write('half a li')
  log.write('ne\nand more')
  assert.equal(await store.read(of), `${AT} half a line\n`)
  store.flush()
  log.close()
  assert.equal(await store.read(of), `${AT} half a line\n${AT} and more\n`)
  store.flush()
  const again = logs({ db })
  assert.equal(await again.read(of), `${AT} half a line\n${AT} and more\n`)
  again.open(of).write('it goes on\n')
  assert.match((await again.read(of)) ?? '', /and more\n.* it goes on\n$/)
  assert.equal(await again.read({ ...of, mapIndex: 0 }), null)
})

test('a secret that comes in two pieces is masked', async () => {
  const store = logs()
  const log = store.open(of)
  log.write('the password is hun')
  log.write('ter22.\n')
  assert.equal(await store.read(of), `${AT} the password is ***.\n`)
})

test('whoever follows a log gets all that was written, what comes, and the end', async () => {
  const store = logs()
  const signal = new AbortController().signal
  const followed = (async () => {
    let text = ''
    for await (const part of store.tail(of, signal)) text += part
    return text
  })()
  const log = store.open(of)
  log.write('one\n')
  store.flush()
  await new Promise(setImmediate)
  log.write('two\n')
  await new Promise(setImmediate)
  log.write('three')
  log.close()
  assert.equal(await followed, `${AT} one\n${AT} two\n${AT} three\n`)
  let whole = ''
  for await (const part of store.tail(of, signal)) whole += part
  assert.equal(whole, await followed)
})

test('following ends when nobody wants to read any more', async () => {
  const store = logs()
  const stop = new AbortController()
  const followed = store.tail(of, stop.signal)[Symbol.asyncIterator]().next()
  await new Promise(setImmediate)
  stop.abort()
  assert.equal((await followed).done, true)
})

test('the logs of a run are deleted with it', async () => {
  const store = logs()
  for (const runId of ['r', 's']) {
    const log = store.open({ ...of, runId })
    log.write('words\n')
    log.close()
  }
  await store.delete('d', 'r')
  assert.equal(await store.read(of), null)
  assert.equal(await store.read({ ...of, runId: 's' }), `${AT} words\n`)
})
