import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { airflowHouse } from '../../../../../test/airflow-house.ts'
import { principal } from '../../core/principal.ts'

type House = Awaited<ReturnType<typeof house>>

async function house() {
  let finish = (_: unknown) => {}
  const work = new Promise((resolve) => {
    finish = resolve
  })
  const made = await airflowHouse({
    dags: {
      'two.ts': [dag('two', {}, ({ task }) => void task('after', async () => {}).after(task('works', async () => {}))).document],
      'other.ts': [dag('other', {}, ({ task }) => void task('quick', async () => {})).document],
    },
    task: ({ taskId }) => (taskId === 'works' ? work : undefined),
  })
  await made.call('PATCH', '/dags?dag_id_pattern=~', { is_paused: false })
  return { ...made, finish }
}

/** What a stream has sent so far as [type, data, id]; turns are made and the clock goes on until `isEnough`. */
async function watch({ fetch, turn, clock }: House, path: string, headers: Record<string, string> = {}) {
  const response = await fetch('GET', path, undefined, headers)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  let isOver = false
  const reading = (async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value
    isOver = true
  })()
  // biome-ignore lint/suspicious/noExplicitAny: what comes is what the tests look into
  const messages = (): [type: string, data: any, id: string | undefined][] =>
    text
      .split('\n\n')
      .filter((message) => message.includes('event: '))
      .map((message) => {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(message)?.[1]
        return [field('event') ?? '', JSON.parse(field('data') ?? 'null'), field('id')]
      })
  const until = async (isEnough: () => boolean) => {
    for (let i = 0; !isEnough(); i++) {
      assert.ok(i < 300, `This never came; there was:\n${text}`)
      await turn()
      clock.advance(100)
    }
  }
  return { messages, until, isOver: () => isOver, text: () => text, cancel: () => reader.cancel().then(() => reading) }
}

const states = (messages: [string, { task_id?: string; state: string }, unknown][], type: string) =>
  messages.filter(([each]) => each === type).map(([, { task_id: task = 'run', state }]) => `${task} ${state}`)

test('a run is watched from where it stands to its end, with its tasks, as the documents that the API answers', async () => {
  const made = await house()
  await made.call('POST', '/dags/two/dagRuns', { dag_run_id: 'r' })
  await made.reach('/dags/two/dagRuns/r/taskInstances/works', 'running')
  const stream = await watch(made, '/api/v1/live/dagRuns?dag_id=two&run_id=r')
  await stream.until(() => stream.messages().length >= 3)
  assert.deepEqual(states(stream.messages(), 'dag_run'), ['run running'])
  assert.deepEqual(states(stream.messages(), 'task_instance').sort(), ['after null', 'works running'])
  await made.call('POST', '/dags/other/dagRuns', {})
  made.finish(1)
  await stream.until(() => states(stream.messages(), 'dag_run').includes('run success'))
  assert.equal(states(stream.messages(), 'task_instance').includes('after success'), true)
  const [, last] = stream.messages().findLast(([type]) => type === 'dag_run') ?? []
  const asked = (await made.call('GET', '/dags/two/dagRuns/r')).body
  assert.deepEqual({ ...last, duration: 0 }, { ...asked, duration: 0 })
  assert.equal(
    stream.messages().some(([, data]) => data.dag_id === 'other'),
    false,
  )
  await stream.cancel()
})

test('a log is read along while it grows, and from where a reader has stopped; the stream ends with the try', async () => {
  const made = await house()
  await made.call('POST', '/dags/two/dagRuns', { dag_run_id: 'r' })
  await made.reach('/dags/two/dagRuns/r/taskInstances/works', 'running')
  const path = '/dags/two/dagRuns/r/taskInstances/works/logs/1/stream'
  const log = made.logs.open({ dagId: 'two', runId: 'r', taskId: 'works', tryNumber: 1 })
  const stream = await watch(made, path)
  await stream.until(() => stream.messages().length >= 1)
  log.write('half ')
  log.write('done\n')
  await stream.until(() => stream.messages().length >= 2)
  assert.deepEqual(
    stream.messages().map(([type, { event }, id]) => [type, event, id]),
    [
      ['log', 'works at work', '1'],
      ['log', 'half done', '2'],
    ],
  )
  const again = await watch(made, path, { 'last-event-id': '1' })
  await again.until(() => again.messages().length >= 1)
  assert.deepEqual([again.messages()[0]?.[1].event, again.messages()[0]?.[2]], ['half done', '2'])
  made.finish(1)
  log.close()
  await stream.until(stream.isOver)
  assert.equal(stream.messages().at(-1)?.[0], 'end')
  await again.cancel()
})

test('waiting for a run answers a line for each look, and its results with the last', async () => {
  const made = await house()
  await made.call('POST', '/dags/other/dagRuns', { dag_run_id: 'r' })
  const response = await made.fetch('GET', '/dags/other/dagRuns/r/wait?interval=1&result=quick')
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
  assert.equal((await reader.read()).value, '{"state":"queued","duration":null}\n')
  let last = ''
  const rest = (async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) last = piece.value
    return 'over'
  })()
  await made.reach('/dags/other/dagRuns/r', 'success')
  assert.equal(await rest, 'over')
  assert.deepEqual(JSON.parse(last), { state: 'success', duration: 0, results: { quick: null } })
  assert.equal((await made.call('GET', '/dags/other/dagRuns/r/wait')).status, 422)
})

test('streams are for those who may read DAGs, and only of what there is', async () => {
  const made = await house()
  assert.equal((await made.call('GET', '/api/v1/live/dagRuns?dag_id=tw')).status, 404)
  assert.equal((await made.call('GET', '/api/v1/live/dagRuns?dag=two')).status, 422)
  made.as(principal('user:eve', ['models.read']))
  assert.equal((await made.call('GET', '/api/v1/live/dagRuns')).status, 403)
  assert.equal((await made.call('GET', '/dags/two/dagRuns/r/taskInstances/works/logs/1/stream')).status, 403)
})
