/** `logged-models/…` of MLflow 3: without them its clients cannot log a model. */
import { z } from 'zod'
import { LOGGED_MODEL_STATUSES, type LoggedModel } from '../../models/logged-model.ts'
import type { ModelRegistry } from '../../models/registry.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { listing } from './artifacts.ts'
import { flag, input, int64, listOf, pageToken, tags, text } from './request.ts'
import { metricToWire } from './run-wire.ts'

export function loggedModelRoutes(door: Door, { loggedModels, artifacts }: ModelRegistry): void {
  door.post('/logged-models', async (c) => {
    const who = requirePermission(c, 'models.write')
    const given = await input(c, {
      experiment_id: text,
      name: text.optional(),
      model_type: text.optional(),
      source_run_id: text.optional(),
      params: tags,
      tags,
    })
    const { experiment_id, name, model_type, source_run_id, params } = given
    const model = await loggedModels.create(
      {
        experimentId: experiment_id,
        params,
        tags: given.tags,
        ...(name ? { name } : {}),
        ...(model_type ? { modelType: model_type } : {}),
        ...(source_run_id ? { sourceRunId: source_run_id } : {}),
      },
      who,
    )
    return c.json({ model: toWire(model) })
  })

  door.post('/logged-models/search', permit('models.read'), async (c) => {
    const given = await input(c, {
      experiment_ids: listOf(text),
      filter: text.optional(),
      max_results: int64.optional(),
      order_by: listOf(z.object({ field_name: text, ascending: flag.default(true) })),
      page_token: text.optional(),
    })
    const page = await loggedModels.search({
      experimentIds: given.experiment_ids,
      filter: given.filter,
      orderBy: given.order_by.map(({ field_name, ascending }) => `${field_name} ${ascending ? 'ASC' : 'DESC'}`),
      maxResults: given.max_results,
      pageToken: given.page_token,
    })
    return c.json({ models: page.items.map(toWire), ...pageToken(page.nextPageToken) })
  })

  door.get('/logged-models/:id', permit('models.read'), async (c) => c.json({ model: toWire(await loggedModels.get(c.req.param('id'))) }))

  door.patch('/logged-models/:id', permit('models.write'), async (c) => {
    const { status } = await input(c, { status: z.enum(LOGGED_MODEL_STATUSES) })
    return c.json({ model: toWire(await loggedModels.finalize(c.req.param('id'), status)) })
  })

  door.delete('/logged-models/:id', permit('models.write'), async (c) => {
    await loggedModels.delete(c.req.param('id'))
    return c.json({})
  })

  door.patch('/logged-models/:id/tags', permit('models.write'), async (c) => {
    const given = await input(c, { tags })
    return c.json({ model: toWire(await loggedModels.setTags(c.req.param('id'), given.tags)) })
  })

  door.delete('/logged-models/:id/tags/:key', permit('models.write'), async (c) => {
    await loggedModels.deleteTag(c.req.param('id'), c.req.param('key'))
    return c.json({})
  })

  door.post('/logged-models/:id/params', permit('models.write'), async (c) => {
    const { params } = await input(c, { params: tags })
    await loggedModels.addParams(c.req.param('id'), params)
    return c.json({})
  })

  door.get('/logged-models/:id/artifacts/directories', permit('models.read'), async (c) => {
    const { artifact_directory_path } = await input(c, { artifact_directory_path: text.default('') })
    const { artifactUri } = await loggedModels.get(c.req.param('id'))
    return c.json(await listing(artifacts, artifactUri, artifact_directory_path))
  })
}

const toWire = (model: LoggedModel) => ({
  info: {
    model_id: model.id,
    experiment_id: model.experimentId,
    name: model.name,
    creation_timestamp_ms: model.createdAt,
    last_updated_timestamp_ms: model.updatedAt,
    artifact_uri: model.artifactUri,
    status: model.status,
    model_type: model.modelType ?? '',
    source_run_id: model.sourceRunId ?? '',
    status_message: '',
    tags: model.tags,
    registrations: model.registrations.map(({ name, version }) => ({ name, version: String(version) })),
  },
  data: {
    params: model.params,
    metrics: model.metrics.map((metric) => ({
      ...metricToWire(metric),
      model_id: model.id,
      run_id: metric.runId,
      ...(metric.datasetName ? { dataset_name: metric.datasetName, dataset_digest: metric.datasetDigest } : {}),
    })),
  },
})
