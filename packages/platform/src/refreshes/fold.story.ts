/** Tells the events of refreshes one by one, as the rooms would: for the tests of this room. */
import type { DomainEvent, EventFacts, EventType } from '../core/events.ts'
import { fold } from './fold.ts'
import type { Refresh, StageKind, StageOf } from './refresh.ts'
import { placeOf, stagesOf } from './stage.ts'

const RUN = { dagId: 'pipeline_ml_staging', runId: 'scheduled__2026-05-11T05:00:00+00:00' }

export class Story {
  refreshes: readonly Refresh[] = []
  #seconds = 0

  tell<Type extends EventType>(type: Type, by: string, facts: EventFacts[Type]): this {
    this.#seconds += 1
    this.refreshes = fold(this.refreshes, { id: this.#seconds, at: this.now, type, by, facts } as DomainEvent)
    return this
  }

  get now(): string {
    return new Date(Date.UTC(2026, 4, 11, 5, 0, this.#seconds)).toISOString()
  }

  get newest(): Refresh {
    return this.refreshes[0] as Refresh
  }

  /** `place: state` of the newest refresh, in the order of the line. */
  get line(): string[] {
    return this.newest.stages.map((stage) => `${placeOf(stage)}: ${stage.state}`)
  }

  stage<Kind extends StageKind>(kind: Kind, index = 0): StageOf<Kind> {
    return stagesOf(this.newest, kind)[index] as StageOf<Kind>
  }

  dagRun(state: string): this {
    const [dataIntervalStart, dataIntervalEnd] = ['2026-05-04T05:00:00.000Z', '2026-05-11T05:00:00.000Z']
    const facts = {
      ...RUN,
      runType: 'scheduled',
      state,
      dataIntervalStart,
      dataIntervalEnd,
      startedAt: state === 'queued' ? null : this.now,
      endedAt: null,
    }
    return this.tell('dag_run.changed', 'system', facts)
  }

  task(taskId: string, operator: string, state: string, { tryNumber = 1, detail = null as string | null } = {}): this {
    const over = state !== 'running'
    const facts = { ...RUN, taskId, mapIndex: -1, operator, tryNumber, state, startedAt: this.now, endedAt: over ? this.now : null, detail }
    return this.tell('task_instance.changed', 'system', facts)
  }

  cluster(state: string): this {
    return this.tell('cluster.changed', by('create_dataproc'), { clusterName: 'purchase-predict-20260504', state, detail: null })
  }

  job(state: string, { jobId = 'job-1', tryNumber = 1, detail = null as string | null, progress = null as number | null } = {}): this {
    const [inputRows, outputRows] = state === 'DONE' ? [1_200_000, 22_971] : [null, null]
    const facts = { jobId, clusterName: 'purchase-predict-20260504', state, progress, detail, inputRows, outputRows }
    return this.tell('job.changed', by('submit_job', tryNumber), facts)
  }

  build(
    buildId: string,
    status: string,
    { subject = by('trigger_ml_build'), repository = 'purchase_predict', branch = 'staging', detail = null as string | null } = {},
  ): this {
    const finishedAt = status === 'WORKING' || status === 'QUEUED' ? null : this.now
    const steps = [{ id: 'test', status: 'SUCCESS', startedAt: this.now, finishedAt: this.now }]
    const source = { repository, branch, commitSha: 'ab12cd3ef', trigger: 'build-purchase-predict-staging' }
    return this.tell('build.changed', subject, {
      buildId,
      status,
      detail,
      ...source,
      createdAt: this.now,
      startedAt: this.now,
      finishedAt,
      steps,
    })
  }

  training(buildId: string, scores: readonly number[], status = 'FINISHED'): this {
    const [subject, run] = [`build:${buildId}`, { experiment: 'purchase_predict', runId: `run-of-${buildId}`, runName: 'train' }]
    this.tell('experiment_run.changed', subject, { ...run, status: 'RUNNING' })
    this.tell('param.logged', subject, { runId: run.runId, key: 'max_evals', value: String(scores.length) })
    scores.forEach((value, step) => {
      this.tell('metric.logged', subject, { runId: run.runId, key: 'trial_auc', value, step })
    })
    return this.tell('experiment_run.changed', subject, { ...run, status })
  }

  model(buildId: string, version: string, stage: string): this {
    const facts = { name: 'purchase_predict', version, stage, runId: `run-of-${buildId}`, metrics: { auc: 0.761 } }
    return this.tell('model_version.changed', `build:${buildId}`, facts)
  }

  revision(buildId: string, revision: string, state: string): this {
    const facts = { service: 'purchase-predict-api-staging', revision, state, image: 'api@sha256:1', detail: null }
    return this.tell('revision.changed', `build:${buildId}`, facts)
  }

  traffic(buildId: string, revision: string, percent = 100): this {
    const facts = {
      service: 'purchase-predict-api-staging',
      revision,
      percent,
      url: 'http://127.0.0.1:8080/services/purchase-predict-api-staging',
    }
    return this.tell('traffic.changed', `build:${buildId}`, facts)
  }

  image(buildId: string): this {
    return this.tell('image.pushed', `build:${buildId}`, {
      repository: 'daggerboard/purchase-predict-api',
      digest: 'sha256:1',
      tag: 'ab12cd3',
      bytes: 4096,
    })
  }

  data(): this {
    this.dagRun('running').task('create_dataproc', 'DataprocCreateCluster', 'running').cluster('CREATING').cluster('RUNNING')
    return this.task('submit_job', 'DataprocSubmitJob', 'running').job('RUNNING', { progress: 0.4 })
  }

  delivery(buildId: string, revision: string): this {
    this.image(buildId).revision(buildId, revision, 'deploying').revision(buildId, revision, 'ready')
    return this.traffic(buildId, revision)
  }

  /** The story of the weekly refresh from its interval to its traffic. */
  whole(version = '7', revision = 'api-00002'): this {
    this.data().job('DONE').task('submit_job', 'DataprocSubmitJob', 'success').cluster('DELETING').build('ml', 'WORKING')
    this.training('ml', [0.71, 0.76, 0.74]).model('ml', version, 'None').model('ml', version, 'Staging')
    this.build('api', 'WORKING', { subject: 'build:ml', repository: 'purchase_predict_api' }).delivery('api', revision)
    this.build('api', 'SUCCESS', { subject: 'build:ml', repository: 'purchase_predict_api' }).build('ml', 'SUCCESS')
    return this.dagRun('success')
  }
}

const by = (taskId: string, tryNumber = 1) => `task:${RUN.dagId}/${RUN.runId}/${taskId}#${tryNumber}`
