import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { airflowHouse } from '../../../../../test/airflow-house.ts'

const LINES = 12_345

async function house() {
  const made = await airflowHouse({
    dags: { 'long.ts': [dag('long', {}, ({ task }) => void task('talks', async () => {})).document] },
    task: () => new Promise(() => {}),
  })
  await made.call('PATCH', '/dags/long', { is_paused: false })
  await made.call('POST', '/dags/long/dagRuns', { dag_run_id: 'r' })
  await made.reach('/dags/long/dagRuns/r/taskInstances/talks', 'running')
  const log = made.logs.open({ dagId: 'long', runId: 'r', taskId: 'talks', tryNumber: 1 })
  const path = '/dags/long/dagRuns/r/taskInstances/talks/logs/1'
  const page = async (query: Record<string, string> = {}) => {
    const { body } = await made.call('GET', `${path}?${new URLSearchParams(query)}`)
    return {
      events: body.content.map(({ event }: { event: string }) => event) as string[],
      token: body.continuation_token as string | null,
    }
  }
  return { ...made, log, path, page }
}

const numbered = Array.from({ length: LINES }, (_, i) => `line ${i}`)

test('a long log comes in pages of 5,000 lines, and that of a task that runs goes on where it has grown', async () => {
  const { log, page, call, reach } = await house()
  for (const line of numbered) log.write(`${line}\n`)
  const read: string[] = (await page()).events.filter((event) => event.startsWith('line'))
  const skipped = 5_000 - read.length
  let { token } = await page()
  for (const expected of [5_000, LINES + skipped - 10_000, 0]) {
    assert.ok(token)
    const next = await page({ token })
    assert.equal(next.events.length, expected)
    read.push(...next.events)
    token = next.token
  }
  log.write('and one more\n')
  const last = await page({ token: token ?? '' })
  assert.deepEqual(last.events, ['and one more'])
  assert.deepEqual(read, numbered)
  await call('PATCH', '/dags/long/dagRuns/r', { state: 'failed' })
  await reach('/dags/long/dagRuns/r', 'failed')
  assert.deepEqual(await page({ token: last.token ?? '' }), { events: [], token: null })
})

test('the full content is all from the beginning or from a token on, and has no token', async () => {
  const { log, page, call, path } = await house()
  for (const line of numbered) log.write(`${line}\n`)
  const all = await page({ full_content: 'true' })
  assert.deepEqual([all.events.slice(-LINES), all.token], [numbered, null])
  const { token } = await page()
  const rest = await page({ full_content: 'true', token: token ?? '' })
  assert.deepEqual([rest.events, rest.token], [all.events.slice(5_000), null])
  const { text } = await call('GET', path, undefined, { accept: 'application/x-ndjson' })
  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event),
    all.events,
  )
})

test('a token that is none of ours is refused', async () => {
  const { call, path } = await house()
  for (const token of ['x', Buffer.from('{"part":-1,"offset":0}').toString('base64url'), Buffer.from('[]').toString('base64url')])
    assert.equal((await call('GET', `${path}?token=${token}`)).status, 422, token)
})
