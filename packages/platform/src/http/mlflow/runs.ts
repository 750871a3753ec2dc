/** `runs/…` and `metrics/…` of MLflow's tracking API. */
import { z } from 'zod'
import { AppError } from '../../core/app-error.ts'
import { MAX_BATCH_BYTES } from '../../models/limits.ts'
import type { ModelRegistry } from '../../models/registry.ts'
import { RUN_STATUSES } from '../../models/run.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { view } from './experiments.ts'
import { double, input, int64, listOf, pageToken, searching, searchRequest, tags, text } from './request.ts'
import { infoToWire, metricToWire, runToWire } from './run-wire.ts'

/** Old clients say `run_uuid`, new ones say both. */
const run = { run_id: text.optional(), run_uuid: text.optional() }

function runIdOf({ run_id, run_uuid }: { run_id?: string | undefined; run_uuid?: string | undefined }): string {
  const id = run_id || run_uuid
  if (!id) throw new AppError('invalid', "Missing value for required parameter 'run_id'.")
  return id
}

const metric = {
  key: text,
  value: double,
  timestamp: int64,
  step: int64.default(0),
  model_id: text.optional(),
  dataset_name: text.optional(),
  dataset_digest: text.optional(),
}

const toMetric = ({ key, value, timestamp, step, model_id, dataset_name, dataset_digest }: z.output<z.ZodObject<typeof metric>>) => ({
  key,
  value,
  timestamp,
  step,
  modelId: model_id || undefined,
  datasetName: dataset_name || undefined,
  datasetDigest: dataset_digest || undefined,
})

const dataset = z.object({
  name: text,
  digest: text,
  source_type: text.default(''),
  source: text.default(''),
  schema: text.optional(),
  profile: text.optional(),
})

export function runRoutes(door: Door, { runs }: ModelRegistry): void {
  door.post('/runs/create', async (c) => {
    const who = requirePermission(c, 'models.write')
    const given = await input(c, {
      experiment_id: text.default('0'),
      user_id: text.optional(),
      run_name: text.optional(),
      start_time: int64.optional(),
      tags,
    })
    const created = await runs.create(
      {
        experimentId: given.experiment_id,
        tags: given.tags,
        ...(given.user_id ? { userId: given.user_id } : {}),
        ...(given.run_name ? { name: given.run_name } : {}),
        ...(given.start_time === undefined ? {} : { startTime: given.start_time }),
      },
      who,
    )
    return c.json({ run: runToWire(created) })
  })

  door.get('/runs/get', permit('models.read'), async (c) => c.json({ run: runToWire(await runs.get(runIdOf(await input(c, run)))) }))

  door.post('/runs/update', permit('models.write'), async (c) => {
    const given = await input(c, {
      ...run,
      status: z.enum(RUN_STATUSES).optional(),
      end_time: int64.optional(),
      run_name: text.optional(),
    })
    const updated = await runs.update(runIdOf(given), {
      ...(given.status ? { status: given.status } : {}),
      ...(given.end_time === undefined ? {} : { endTime: given.end_time }),
      ...(given.run_name ? { name: given.run_name } : {}),
    })
    return c.json({ run_info: infoToWire(updated) })
  })

  door.post('/runs/delete', permit('models.write'), async (c) => {
    await runs.setLifecycleStage(runIdOf(await input(c, run)), 'deleted')
    return c.json({})
  })

  door.post('/runs/restore', permit('models.write'), async (c) => {
    await runs.setLifecycleStage(runIdOf(await input(c, run)), 'active')
    return c.json({})
  })

  door.post('/runs/search', permit('models.read'), async (c) => {
    const given = await input(c, { ...searching, experiment_ids: listOf(text), run_view_type: view.optional() })
    const page = await runs.search({
      ...searchRequest(given),
      experimentIds: given.experiment_ids,
      view: given.run_view_type ?? 'ACTIVE_ONLY',
    })
    return c.json({ runs: page.items.map(runToWire), ...pageToken(page.nextPageToken) })
  })

  door.post('/runs/log-metric', permit('models.write'), async (c) => {
    const given = await input(c, { ...run, ...metric })
    await runs.log(runIdOf(given), { metrics: [toMetric(given)] })
    return c.json({})
  })

  door.post('/runs/log-parameter', permit('models.write'), async (c) => {
    const given = await input(c, { ...run, key: text, value: text.default('') })
    await runs.log(runIdOf(given), { params: [{ key: given.key, value: given.value }] })
    return c.json({})
  })

  door.post('/runs/log-batch', permit('models.write'), async (c) => {
    const given = await input(c, { ...run, metrics: listOf(z.object(metric)), params: tags, tags }, MAX_BATCH_BYTES)
    await runs.log(runIdOf(given), { metrics: given.metrics.map(toMetric), params: given.params, tags: given.tags })
    return c.json({})
  })

  door.post('/runs/set-tag', permit('models.write'), async (c) => {
    const given = await input(c, { ...run, key: text, value: text.default('') })
    await runs.log(runIdOf(given), { tags: [{ key: given.key, value: given.value }] })
    return c.json({})
  })

  door.post('/runs/delete-tag', permit('models.write'), async (c) => {
    const given = await input(c, { ...run, key: text })
    await runs.deleteTag(runIdOf(given), given.key)
    return c.json({})
  })

  door.post('/runs/log-model', permit('models.write'), async (c) => {
    const given = await input(c, { ...run, model_json: text })
    await runs.logModel(runIdOf(given), given.model_json)
    return c.json({})
  })

  door.post('/runs/log-inputs', permit('models.write'), async (c) => {
    const given = await input(c, {
      ...run,
      datasets: listOf(z.object({ tags, dataset })),
      models: listOf(z.object({ model_id: text })),
    })
    const datasets = given.datasets.map(({ dataset: { source_type, schema, profile, ...rest }, tags }) => ({
      ...rest,
      sourceType: source_type,
      schema: schema ?? null,
      profile: profile ?? null,
      tags,
    }))
    const models = given.models.map(({ model_id }) => ({ modelId: model_id, step: null }))
    await runs.addInputs(runIdOf(given), datasets, models)
    return c.json({})
  })

  door.post('/runs/outputs', permit('models.write'), async (c) => {
    const given = await input(c, { ...run, models: listOf(z.object({ model_id: text, step: int64.default(0) })) })
    await runs.addOutputs(
      runIdOf(given),
      given.models.map(({ model_id, step }) => ({ modelId: model_id, step })),
    )
    return c.json({})
  })

  door.get('/metrics/get-history', permit('models.read'), async (c) => {
    const given = await input(c, { ...run, metric_key: text, max_results: int64.optional(), page_token: text.optional() })
    const request = { maxResults: given.max_results, pageToken: given.page_token }
    const page = await runs.history(runIdOf(given), given.metric_key, request)
    return c.json({ metrics: page.items.map(metricToWire), ...pageToken(page.nextPageToken) })
  })
}
