/** `registered-models/…` of MLflow's registry. */
import type { RegisteredModel } from '../../models/registered-model.ts'
import type { ModelRegistry } from '../../models/registry.ts'
import { type Door, permit, requirePermission } from '../door.ts'
import { toVersionNumber, versionToWire } from './model-versions.ts'
import { input, listOf, pageToken, searching, searchRequest, tags, text } from './request.ts'

export function registeredModelRoutes(door: Door, { registeredModels, versions }: ModelRegistry): void {
  const toWire = async (model: RegisteredModel) => ({
    name: model.name,
    creation_timestamp: model.createdAt,
    last_updated_timestamp: model.updatedAt,
    user_id: model.createdBy,
    description: model.description,
    latest_versions: (await versions.latest(model.name)).map(versionToWire),
    tags: model.tags,
    aliases: model.aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
  })

  door.post('/registered-models/create', async (c) => {
    const who = requirePermission(c, 'models.write')
    const given = await input(c, { name: text, description: text.default(''), tags })
    return c.json({ registered_model: await toWire(await registeredModels.create(given, who)) })
  })

  door.get('/registered-models/get', permit('models.read'), async (c) => {
    const { name } = await input(c, { name: text })
    return c.json({ registered_model: await toWire(await registeredModels.get(name)) })
  })

  door.on(['GET', 'POST'], '/registered-models/search', permit('models.read'), async (c) => {
    const page = await registeredModels.search(searchRequest(await input(c, searching)))
    return c.json({ registered_models: await Promise.all(page.items.map(toWire)), ...pageToken(page.nextPageToken) })
  })

  door.post('/registered-models/rename', permit('models.write'), async (c) => {
    const { name, new_name } = await input(c, { name: text, new_name: text })
    return c.json({ registered_model: await toWire(await registeredModels.rename(name, new_name)) })
  })

  door.patch('/registered-models/update', permit('models.write'), async (c) => {
    const { name, description } = await input(c, { name: text, description: text.default('') })
    return c.json({ registered_model: await toWire(await registeredModels.describe(name, description)) })
  })

  door.delete('/registered-models/delete', permit('models.write'), async (c) => {
    await registeredModels.delete((await input(c, { name: text })).name)
    return c.json({})
  })

  door.on(['GET', 'POST'], '/registered-models/get-latest-versions', permit('models.read'), async (c) => {
    const { name, stages } = await input(c, { name: text, stages: listOf(text) })
    return c.json({ model_versions: (await versions.latest(name, stages)).map(versionToWire) })
  })

  door.post('/registered-models/set-tag', permit('models.write'), async (c) => {
    const { name, key, value } = await input(c, { name: text, key: text, value: text.default('') })
    await registeredModels.setTag(name, { key, value })
    return c.json({})
  })

  door.delete('/registered-models/delete-tag', permit('models.write'), async (c) => {
    const { name, key } = await input(c, { name: text, key: text })
    await registeredModels.deleteTag(name, key)
    return c.json({})
  })

  door.post('/registered-models/alias', permit('models.write'), async (c) => {
    const { name, alias, version } = await input(c, { name: text, alias: text, version: text })
    await versions.setAlias(name, alias, toVersionNumber(version))
    return c.json({})
  })

  door.get('/registered-models/alias', permit('models.read'), async (c) => {
    const { name, alias } = await input(c, { name: text, alias: text })
    return c.json({ model_version: versionToWire(await versions.getByAlias(name, alias)) })
  })

  door.delete('/registered-models/alias', permit('models.write'), async (c) => {
    const { name, alias } = await input(c, { name: text, alias: text })
    await registeredModels.deleteAlias(name, alias)
    return c.json({})
  })
}
