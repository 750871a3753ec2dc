import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../core/clock.ts'
import { LOG_BEGINNING } from '../../execution/task-log.ts'
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

test('a log is read page by page while it grows, without a line lost or said twice, whatever has come to the file meanwhile', async () => {
  const store = logs()
  const log = store.open(of)
  const most = { lines: 3, characters: 1_000_000 }
  const written: string[] = []
  const read: string[] = []
  let place = LOG_BEGINNING
  assert.equal(await store.readFrom({ ...of, tryNumber: 2 }, place, most), null)
  for (let i = 0; i < 200; i++) {
    for (let line = 0; line < i % 5; line++) {
      written.push(`${i}.${line} 🌬️ä`)
      log.write(`${written.at(-1)}\n`)
    }
    if (i % 3 === 0) store.flush()
    const page = await store.readFrom(of, place, most)
    assert.ok(page)
    const lines = page.text.split('\n').slice(0, -1)
    assert.ok(lines.length <= 3)
    read.push(...lines)
    assert.equal(page.hasMore, read.length < written.length)
    place = page.next
  }
  log.close()
  for (let page = await store.readFrom(of, place, most); page?.text; page = await store.readFrom(of, place, most)) {
    read.push(...page.text.split('\n').slice(0, -1))
    place = page.next
  }
  assert.deepEqual(
    read,
    written.map((line) => `${AT} ${line}`),
  )
  const whole = await store.readFrom(of, LOG_BEGINNING, { lines: Number.POSITIVE_INFINITY, characters: Number.POSITIVE_INFINITY })
  assert.equal(whole?.text, await store.read(of))
})

test('a page of a long log reads little more than it answers', async () => {
  const db = new Database(':memory:')
  const store = logs({ db })
  const log = store.open(of)
  const block = `${'x'.repeat(99)}\n`.repeat(1000)
  for (let i = 0; i < 100; i++) {
    log.write(block)
    store.flush()
  }
  let characters = 0
  const all = db.all.bind(db)
  db.all = <T>(...given: Parameters<Database['all']>): T[] => {
    const rows = all<T>(...given)
    for (const { text } of rows as { text?: string }[]) characters += text?.length ?? 0
    return rows
  }
  let place = LOG_BEGINNING
  let pages = 0
  for (let hasMore = true; hasMore; pages++) {
    characters = 0
    const page = await store.readFrom(of, place, { lines: 5000, characters: 400_000 })
    assert.ok(page)
    assert.ok(page.text.length <= 400_000 + 200)
    assert.ok(characters <= page.text.length + 600_000, `${characters} read for ${page.text.length}`)
    place = page.next
    hasMore = page.hasMore
  }
  assert.ok(pages > 20)
})

test('a place in a part that has been deleted since is the beginning of what is left', async () => {
  const db = new Database(':memory:')
  const store = logs({ db })
  const log = store.open(of)
  for (const word of ['one', 'two', 'three']) {
    log.write(`${word}\n`)
    store.flush()
  }
  const first = await store.readFrom(of, LOG_BEGINNING, { lines: 1, characters: 1_000 })
  assert.ok(first)
  db.run('DELETE FROM task_log WHERE part = ?', first.next.part)
  assert.equal((await store.readFrom(of, first.next, { lines: 9, characters: 1_000 }))?.text, `${AT} two\n${AT} three\n`)
})
