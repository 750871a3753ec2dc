/** `model-versions/…` of MLflow's registry. */
import { AppError } from '../../core/app-error.ts'
import type { ModelRegistry } from '../../models/registry.ts'
import type { Version } from '../../models/version.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { flag, input, pageToken, searching, searchRequest, tags, text } from './request.ts'

const key = { name: text, version: text }

export function modelVersionRoutes(door: Door, { versions }: ModelRegistry): void {
  door.post('/model-versions/create', async (c) => {
    const who = requirePermission(c, 'models.write')
    const given = await input(c, {
      name: text,
      source: text,
      run_id: text.optional(),
      run_link: text.optional(),
      model_id: text.optional(),
      description: text.optional(),
      tags,
    })
    const { name, source, run_id, run_link, model_id, description } = given
    const created = await versions.create(
      { name, source, runId: run_id, runLink: run_link, modelId: model_id, description, tags: given.tags },
      who,
    )
    return c.json({ model_version: versionToWire(created) })
  })

  door.get('/model-versions/get', permit('models.read'), async (c) => {
    const { name, version } = await input(c, key)
    return c.json({ model_version: versionToWire(await versions.get(name, toVersionNumber(version))) })
  })

  door.on(['GET', 'POST'], '/model-versions/search', permit('models.read'), async (c) => {
    const page = await versions.search(searchRequest(await input(c, searching)))
    return c.json({ model_versions: page.items.map(versionToWire), ...pageToken(page.nextPageToken) })
  })

  door.get('/model-versions/get-download-uri', permit('models.read'), async (c) => {
    const { name, version } = await input(c, key)
    const { location } = await versions.get(name, toVersionNumber(version))
    return c.json({ artifact_uri: location })
  })

  door.post('/model-versions/transition-stage', permit('models.write'), async (c) => {
    const given = await input(c, { ...key, stage: text, archive_existing_versions: flag.default(false) })
    const { name, version, stage, archive_existing_versions } = given
    const changed = await versions.transition(name, toVersionNumber(version), stage, archive_existing_versions)
    return c.json({ model_version: versionToWire(changed) })
  })

  door.patch('/model-versions/update', permit('models.write'), async (c) => {
    const { name, version, description } = await input(c, { ...key, description: text.default('') })
    return c.json({ model_version: versionToWire(await versions.describe(name, toVersionNumber(version), description)) })
  })

  door.delete('/model-versions/delete', permit('models.write'), async (c) => {
    const { name, version } = await input(c, key)
    await versions.delete(name, toVersionNumber(version))
    return c.json({})
  })

  door.post('/model-versions/set-tag', permit('models.write'), async (c) => {
    const given = await input(c, { ...key, key: text, value: text.default('') })
    await versions.setTag(given.name, toVersionNumber(given.version), { key: given.key, value: given.value })
    return c.json({})
  })

  door.delete('/model-versions/delete-tag', permit('models.write'), async (c) => {
    const given = await input(c, { ...key, key: text })
    await versions.deleteTag(given.name, toVersionNumber(given.version), given.key)
    return c.json({})
  })
}

/** The number that a version's text stands for. Throws `invalid`. */
export function toVersionNumber(version: string): number {
  if (!/^\d{1,15}$/.test(version)) throw new AppError('invalid', `Model version must be an integer, got '${version}'.`)
  return Number(version)
}

export const versionToWire = (version: Version) => ({
  name: version.name,
  version: String(version.version),
  creation_timestamp: version.createdAt,
  last_updated_timestamp: version.updatedAt,
  user_id: version.createdBy,
  current_stage: version.stage,
  description: version.description,
  source: version.source,
  run_id: version.runId ?? '',
  status: 'READY',
  status_message: '',
  tags: version.tags,
  run_link: version.runLink,
  aliases: version.aliases,
  ...(version.modelId === null ? {} : { model_id: version.modelId }),
})
