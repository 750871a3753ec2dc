import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { airflowHouse } from '../../../../../test/airflow-house.ts'
import { InlineEnding } from '../../adapters/memory/task-runner.ts'

const REQUEST = {
  ...{ subject: 'Deploy?', body: null, options: ['Approve', 'Reject'], defaults: null, multiple: false, assignees: [] },
  ...{
    params: { note: '' },
    paramSchemas: { rows: { type: 'integer' } },
    respondedBy: null,
    respondedAt: null,
    chosen: null,
    paramsInput: null,
  },
}

test('who has answered what is listed and shown after the task and its run have ended', async () => {
  const { call, settle } = await airflowHouse({
    dags: { 'ask.ts': [dag('ask', {}, ({ task }) => void task('may', async () => {})).document] },
    task: ({ resume }) =>
      resume ?? new InlineEnding({ state: 'deferred', wait: { kind: 'input', request: REQUEST }, timeoutSeconds: null }),
  })
  await call('PATCH', '/dags/ask', { is_paused: false })
  await call('POST', '/dags/ask/dagRuns', { dag_run_id: 'r', logical_date: null })
  await settle()
  const path = '/dags/ask/dagRuns/r/taskInstances/may/-1/hitlDetails'
  const asked = (await call('GET', path)).body
  assert.equal(asked.response_received, false)
  assert.deepEqual(asked.params.rows, { value: null, schema: { type: 'integer' }, description: null })
  assert.equal((await call('PATCH', path, { chosen_options: ['Approve'], params_input: { rows: 'many' } })).status, 400)
  await call('PATCH', path, { chosen_options: ['Approve'], params_input: { note: 'fine', rows: 7 } })
  await settle()
  assert.equal((await call('GET', '/dags/ask/dagRuns/r')).body.state, 'success')
  const shown = (await call('GET', path)).body
  assert.deepEqual([shown.chosen_options, shown.params_input, shown.response_received], [['Approve'], { note: 'fine', rows: 7 }, true])
  assert.ok(shown.responded_by_user.name && shown.responded_at)
  const listed = (await call('GET', '/dags/~/dagRuns/~/hitlDetails?response_received=true')).body
  assert.deepEqual([listed.total_entries, listed.hitl_details[0].task_instance.state], [1, 'success'])
  assert.equal((await call('GET', '/dags/~/dagRuns/~/hitlDetails?response_received=false')).body.total_entries, 0)
})
