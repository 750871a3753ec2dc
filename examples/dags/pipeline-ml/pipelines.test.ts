import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TaskDocument } from '@daggerboard/dag'
import both from '../pipeline_ml.ts'
import production from '../pipeline_ml_production.ts'
import staging from '../pipeline_ml_staging.ts'

const taskOf = (tasks: readonly TaskDocument[], id: string): TaskDocument => {
  const task = tasks.find((t) => t.taskId === id)
  assert.ok(task, id)
  return task
}

describe('the pipelines of the shop', () => {
  for (const dag of [staging, production])
    it(`${dag.id} runs on Mondays at 05:00 and deletes its cluster beside the build, whatever came of the transform`, () => {
      const { schedule, tasks } = dag.document
      assert.deepEqual(schedule, { kind: 'cron', expression: '0 5 * * 1', interval: true, text: '0 5 * * 1' })
      assert.deepEqual(taskOf(tasks, 'submit_job').downstream, ['delete_dataproc', 'trigger_ml_build'])
      assert.equal(taskOf(tasks, 'delete_dataproc').triggerRule, 'all_done')
    })

  it('write into folders and clusters of their own, so that none disturbs another', () => {
    const facts = [staging, production, both].map(({ document }) => {
      const { job } = taskOf(document.tasks, 'submit_job').args as {
        job: { placement: { clusterName: string }; sparkSqlJob: { scriptVariables: { output: string } } }
      }
      return [job.placement.clusterName, job.sparkSqlJob.scriptVariables.output]
    })
    assert.equal(new Set(facts.flat()).size, 6)
  })

  it('train on exactly the rows that their transform wrote, from the branch of their environment', () => {
    const build = taskOf(production.document.tasks, 'trigger_ml_build').args as {
      source: { branchName: string; substitutions: { _PRIMARY_FOLDER: string } }
    }
    assert.equal(build.source.branchName, 'master')
    assert.equal(build.source.substitutions._PRIMARY_FOLDER, 'gs://{{ var.value.PROJECT_ID }}-data/primary/production/{{ ds }}/data.csv/')
  })

  it('pipeline_ml makes the rows once and starts both builds', () => {
    assert.deepEqual(taskOf(both.document.tasks, 'submit_job').downstream, [
      'delete_dataproc',
      'trigger_ml_build_staging',
      'trigger_ml_build_production',
    ])
  })
})
