import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asset, dag } from '@daggerboard/dag'
import { airflowHouse } from '../../../../../test/airflow-house.ts'

test('a run says by which way it was triggered: the pages, the command line or the API, whoever asked', async () => {
  const { call } = await airflowHouse({
    dags: { 'd.ts': [dag('d', {}, ({ task }) => void task('t', async () => {}, { outlets: [asset('leaves')] })).document] },
  })
  const by = async (headers: Record<string, string>) => {
    const { body } = await call('POST', '/dags/d/dagRuns', { logical_date: null }, headers)
    return [body.triggered_by, body.triggering_user_name]
  }
  const token = { authorization: 'Bearer x' }
  const session = { cookie: 'daggerboard_session=y' }
  const commandLine = { 'user-agent': 'daggerboard-cli/0.1.0' }
  assert.deepEqual(await by(token), ['rest_api', 'ann'])
  assert.deepEqual(await by({ ...token, ...commandLine }), ['cli', 'ann'])
  assert.deepEqual(await by(session), ['ui', 'ann'])
  assert.deepEqual(await by({ ...token, ...session }), ['rest_api', 'ann'])
  assert.deepEqual(await by({ ...token, 'user-agent': 'daggerboard-client' }), ['rest_api', 'ann'])
  const { assets } = (await call('GET', '/assets')).body
  const made = await call('POST', `/assets/${assets[0].id}/materialize`, {}, { ...token, ...commandLine })
  assert.equal(made.body.triggered_by, 'cli')
})
