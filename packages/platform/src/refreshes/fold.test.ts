import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Story } from './fold.story.ts'

describe('a refresh that a DAG run started', () => {
  it('shows the whole line from the first event on', () => {
    const { newest, line } = new Story().dagRun('queued')
    assert.equal(newest.state, 'queued')
    assert.equal(newest.environment, 'staging')
    assert.deepEqual(newest.dataInterval, { start: '2026-05-04T05:00:00.000Z', end: '2026-05-11T05:00:00.000Z' })
    assert.deepEqual(line, [
      'interval: success',
      'cluster: waiting',
      'transform: waiting',
      'build: waiting',
      'training: waiting',
      'model: waiting',
      'nested build: waiting',
      'image: waiting',
      'revision: waiting',
      'traffic: waiting',
    ])
  })

  it('follows the transform with its progress and its rows', () => {
    const story = new Story().data()
    assert.deepEqual(story.line.slice(0, 4), ['interval: success', 'cluster: success', 'transform: running', 'build: waiting'])
    assert.equal(story.stage('transform').progress, 0.4)
    const { inputRows, outputRows, task } = story.job('DONE').stage('transform')
    assert.deepEqual(
      { inputRows, outputRows, task },
      { inputRows: 1_200_000, outputRows: 22_971, task: { taskId: 'submit_job', tryNumber: 1 } },
    )
  })

  it('lets a deferred task go on after what it waited for, without beginning that anew', () => {
    const story = new Story().dagRun('running').task('submit_job', 'DataprocSubmitJob', 'running').job('RUNNING')
    story.task('submit_job', 'DataprocSubmitJob', 'deferred').job('DONE').task('submit_job', 'DataprocSubmitJob', 'running')
    assert.equal(story.stage('transform').state, 'success')
    story.task('submit_job', 'DataprocSubmitJob', 'success').dagRun('success')
    assert.equal(story.newest.state, 'success')
  })

  it('recognises training, model, nested build, image, revision and traffic by the build that made them', () => {
    const story = new Story().whole()
    assert.equal(story.refreshes.length, 1)
    assert.equal(story.newest.state, 'success')
    assert.equal(story.newest.reason, null)
    assert.ok(story.line.every((stage) => stage.endsWith(': success')))
    assert.equal(story.stage('build', 1).parentBuildId, 'ml')
    assert.equal(story.stage('training').maxEvals, 3)
    assert.equal(story.stage('training').best, 0.76)
    assert.deepEqual(
      story.stage('training').series.map(({ value }) => value),
      [0.71, 0.76, 0.74],
    )
    assert.equal(story.stage('model').stage, 'Staging')
    assert.equal(story.stage('traffic').percent, 100)
  })

  it('stays one line with two of everything when it serves both environments', () => {
    const story = new Story().data().job('DONE')
    story.task('build_staging', 'CloudBuildRunBuildTrigger', 'running').task('build_production', 'CloudBuildRunBuildTrigger', 'running')
    for (const [task, id, branch] of [
      ['build_production', 'p', 'master'],
      ['build_staging', 's', 'staging'],
    ] as const) {
      const subject = `task:${story.newest.origin.dagId}/${story.newest.origin.runId}/${task}#1`
      story.build(id, 'WORKING', { subject, branch }).training(id, [0.7])
    }
    assert.deepEqual(story.line.slice(3, 7), ['build: running', 'build: running', 'training: success', 'training: success'])
    assert.deepEqual([story.stage('build').branch, story.stage('build', 1).branch], ['staging', 'master'])
  })

  it('is not over before its builds are, whatever its DAG run says', () => {
    const story = new Story().data().job('DONE').build('ml', 'WORKING').dagRun('success')
    assert.equal(story.newest.state, 'running')
    assert.equal(story.build('ml', 'SUCCESS').newest.state, 'success')
  })
})

describe('a refresh that fails', () => {
  it('says at the transform why, and never reached the rest', () => {
    const story = new Story().data().job('ERROR', { detail: 'Table "daggerboard.shop.events" does not exist.' })
    assert.equal(story.newest.state, 'running')
    assert.match(story.newest.reason ?? '', /does not exist/)
    story.task('submit_job', 'DataprocSubmitJob', 'failed', { detail: 'Job job-1 ended as ERROR.' }).cluster('DELETING').dagRun('failed')
    assert.equal(story.newest.state, 'failed')
    assert.equal(story.newest.reason, 'Table "daggerboard.shop.events" does not exist.')
    assert.deepEqual(story.line.slice(1, 5), ['cluster: success', 'transform: failed', 'build: skipped', 'training: skipped'])
  })

  it('says so even when the task failed before anything was created', () => {
    const story = new Story().dagRun('running').task('create_dataproc', 'DataprocCreateCluster', 'running')
    story.task('create_dataproc', 'DataprocCreateCluster', 'failed', { detail: 'Variable "PROJECT_ID" is not set.' }).dagRun('failed')
    assert.equal(story.newest.reason, 'Variable "PROJECT_ID" is not set.')
    assert.equal(story.stage('cluster').state, 'failed')
  })

  it('holds the version back that did not pass the gate', () => {
    const story = new Story().data().job('DONE').build('ml', 'WORKING').training('ml', [0.6]).model('ml', '8', 'None')
    story.build('ml', 'FAILURE', { detail: 'auc 0.61 is below the gate 0.75.' }).dagRun('failed')
    assert.equal(story.newest.reason, 'auc 0.61 is below the gate 0.75.')
    assert.deepEqual(story.line.slice(3, 8), [
      'build: failed',
      'training: success',
      'model: failed',
      'nested build: skipped',
      'image: skipped',
    ])
    assert.equal(story.stage('model').detail, 'Registered, but given no stage. auc 0.61 is below the gate 0.75.')
  })

  it('forgets a failure that a second try has mended', () => {
    const story = new Story().data().job('ERROR', { detail: 'The engine ran out of memory.' })
    story.task('submit_job', 'DataprocSubmitJob', 'running', { tryNumber: 2 }).job('DONE', { jobId: 'job-2', tryNumber: 2 })
    assert.equal(story.newest.reason, null)
    assert.deepEqual(story.stage('transform').task, { taskId: 'submit_job', tryNumber: 2 })
  })

  it('runs again from where it failed when its DAG run is cleared', () => {
    const story = new Story().data().job('ERROR', { detail: 'No such table.' }).dagRun('failed').dagRun('running')
    assert.equal(story.newest.state, 'running')
    assert.equal(story.newest.endedAt, null)
    assert.deepEqual(story.line.slice(0, 4), ['interval: success', 'cluster: success', 'transform: waiting', 'build: waiting'])
  })
})

describe('a refresh that a push started', () => {
  const push = { subject: 'user:ann' }

  it('begins at the build and expects what the last success of that repository went through', () => {
    const story = new Story().whole().build('pushed', 'QUEUED', push)
    assert.equal(story.refreshes.length, 2)
    assert.equal(story.newest.id, 'pushed')
    assert.deepEqual(
      story.line.map((stage) => stage.split(':')[0]),
      ['build', 'training', 'model', 'nested build', 'image', 'revision', 'traffic'],
    )
    const api = story.build('pushed-api', 'QUEUED', { ...push, repository: 'purchase_predict_api' })
    assert.deepEqual(
      api.line.map((stage) => stage.split(':')[0]),
      ['build', 'image', 'revision', 'traffic'],
    )
  })

  it('knows of nothing but its build when the repository is new', () => {
    assert.deepEqual(new Story().build('first', 'WORKING', push).line, ['build: running'])
  })

  it('takes the traffic from the refresh before it without rewriting how that one went', () => {
    const story = new Story()
      .whole()
      .build('pushed', 'WORKING', { ...push, repository: 'purchase_predict_api' })
      .delivery('pushed', 'api-00003')
    story.revision('api', 'api-00002', 'draining').build('pushed', 'SUCCESS', { ...push, repository: 'purchase_predict_api' })
    assert.equal(story.newest.state, 'success')
    assert.equal(story.stage('traffic').percent, 100)
    const before = story.refreshes[1]
    assert.equal(before?.state, 'success')
    assert.deepEqual(
      before?.stages.map((s) => (s.kind === 'traffic' ? s.percent : s.kind === 'revision' ? s.revisionState : null)).slice(-2),
      ['draining', 0],
    )
  })
})

it('events of strangers change nothing', () => {
  const story = new Story().whole()
  const before = story.refreshes
  story.tell('image.pushed', 'user:ann', { repository: 'x', digest: 'sha256:2', tag: null, bytes: 1 })
  story.tell('job.changed', 'task:wind_farm/run/t#1', {
    jobId: 'j',
    clusterName: 'c',
    state: 'DONE',
    progress: 1,
    detail: null,
    inputRows: 1,
    outputRows: 1,
  })
  assert.equal(story.refreshes, before)
})
