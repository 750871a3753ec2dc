import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag } from '@daggerboard/dag'
import { airflowHouse } from '../../../../../test/airflow-house.ts'

test('a DAG that the scheduler cannot follow is listed among the import errors, with its file and what to do', async () => {
  const { document } = dag('odd', { schedule: '@daily' }, ({ task }) => void task('a', async () => {}))
  const { call, settle } = await airflowHouse({
    dags: { 'odd.ts': [{ ...document, schedule: { kind: 'cron', expression: 'never', text: 'never' } as never }] },
  })
  await settle()
  const { import_errors: errors, total_entries: total } = (await call('GET', '/importErrors')).body
  assert.equal(total, 1)
  const [error] = errors
  assert.equal(error.filename, 'odd.ts')
  assert.match(error.message, /^The scheduler cannot follow what the file of DAG "odd" says: .* It is tried again when the file changes\.$/)
  assert.equal(error.stack_trace, error.message)
  assert.deepEqual((await call('GET', `/importErrors/${error.import_error_id}`)).body, error)
  assert.equal((await call('GET', '/dags/odd')).status, 200)
  const found = async (query: string) => (await call('GET', `/importErrors?${query}`)).body.total_entries
  assert.deepEqual([await found('filename=odd.ts'), await found('filename=odd'), await found('filename_pattern=%25dd%25')], [1, 0, 1])
  assert.deepEqual([await found(`bundle_name=${error.bundle_name}`), await found('bundle_name=other')], [1, 0])
})
