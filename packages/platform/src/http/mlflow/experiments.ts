/** `experiments/…` of MLflow's tracking API. */
import { z } from 'zod'
import type { Experiment } from '../../models/experiment.ts'
import type { ModelRegistry } from '../../models/registry.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { input, pageToken, searching, searchRequest, tags, text } from './request.ts'

export const view = z.enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'])

export function experimentRoutes(door: Door, { experiments }: ModelRegistry): void {
  door.post('/experiments/create', async (c) => {
    const who = requirePermission(c, 'models.write')
    const { name, artifact_location, tags: given } = await input(c, { name: text, artifact_location: text.optional(), tags })
    const { id } = await experiments.create({ name, artifactLocation: artifact_location ?? '', tags: given }, who)
    return c.json({ experiment_id: id })
  })

  door.get('/experiments/get', permit('models.read'), async (c) => {
    const { experiment_id } = await input(c, { experiment_id: text })
    return c.json({ experiment: toWire(await experiments.get(experiment_id)) })
  })

  door.get('/experiments/get-by-name', permit('models.read'), async (c) => {
    const { experiment_name } = await input(c, { experiment_name: text })
    return c.json({ experiment: toWire(await experiments.getByName(experiment_name)) })
  })

  door.on(['GET', 'POST'], '/experiments/search', permit('models.read'), async (c) => {
    const given = await input(c, { ...searching, view_type: view.optional() })
    const page = await experiments.search({ ...searchRequest(given), view: given.view_type ?? 'ACTIVE_ONLY' })
    return c.json({ experiments: page.items.map(toWire), ...pageToken(page.nextPageToken) })
  })

  door.post('/experiments/update', permit('models.write'), async (c) => {
    const { experiment_id, new_name } = await input(c, { experiment_id: text, new_name: text })
    await experiments.rename(experiment_id, new_name)
    return c.json({})
  })

  door.post('/experiments/delete', permit('models.write'), async (c) => {
    const { experiment_id } = await input(c, { experiment_id: text })
    await experiments.setLifecycleStage(experiment_id, 'deleted')
    return c.json({})
  })

  door.post('/experiments/restore', permit('models.write'), async (c) => {
    const { experiment_id } = await input(c, { experiment_id: text })
    await experiments.setLifecycleStage(experiment_id, 'active')
    return c.json({})
  })

  door.post('/experiments/set-experiment-tag', permit('models.write'), async (c) => {
    const { experiment_id, key, value } = await input(c, { experiment_id: text, key: text, value: text.default('') })
    await experiments.setTag(experiment_id, { key, value })
    return c.json({})
  })

  door.on(['POST', 'DELETE'], '/experiments/delete-experiment-tag', permit('models.write'), async (c) => {
    const { experiment_id, key } = await input(c, { experiment_id: text, key: text })
    await experiments.deleteTag(experiment_id, key)
    return c.json({})
  })
}

const toWire = ({ id, name, artifactLocation, lifecycleStage, createdAt, updatedAt, tags }: Experiment) => ({
  experiment_id: id,
  name,
  artifact_location: artifactLocation,
  lifecycle_stage: lifecycleStage,
  creation_time: createdAt,
  last_update_time: updatedAt,
  tags,
})
