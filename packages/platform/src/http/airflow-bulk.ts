/** Bulk changes of Airflow's REST API: `{"actions": [{"action": "create", "entities": […]}]}`. */
import { z } from 'zod'
import { type AppError, errorCode, publicMessage } from '../core/app-error.ts'

export interface BulkOutcome {
  readonly success: readonly string[]
  readonly errors: readonly { readonly error: string; readonly status_code: number }[]
}

export interface BulkResource<Entity, Update extends object> {
  /** What an entity is called: `pool`. */
  readonly noun: string
  readonly keyOf: (entity: Entity | Update) => string
  readonly has: (key: string) => Promise<boolean>
  readonly create: (entity: Entity) => Promise<void>
  readonly update: (entity: Update, mask: readonly string[] | undefined) => Promise<void>
  readonly delete: (key: string) => Promise<void>
}

const onExistence = z.enum(['fail', 'skip', 'overwrite']).default('fail')
const onNonExistence = z.enum(['fail', 'skip']).default('fail')

/** The body: `entity` for what is created, `update` for what is changed. What is deleted is named by its key, or is an entity. */
export const bulkBody = <Entity, Update>(entity: z.ZodType<Entity>, update: z.ZodType<Update>) =>
  z.strictObject({
    actions: z
      .array(
        z.discriminatedUnion('action', [
          z.strictObject({ action: z.literal('create'), entities: z.array(entity).max(1000), action_on_existence: onExistence }),
          z.strictObject({
            action: z.literal('update'),
            entities: z.array(update).max(1000),
            action_on_non_existence: onNonExistence,
            update_mask: z.array(z.string()).nullish(),
          }),
          z.strictObject({
            action: z.literal('delete'),
            entities: z.array(z.union([z.string(), update])).max(1000),
            action_on_non_existence: onNonExistence,
          }),
        ]),
      )
      .max(100),
  })

type BulkRequest<Entity, Update> = z.infer<ReturnType<typeof bulkBody<Entity, Update>>>

/** Does the actions one by one. One that fails for any of its entities changes nothing, and the next one is done all the same. */
export async function bulk<Entity, Update extends object>(
  { actions }: BulkRequest<Entity, Update>,
  resource: BulkResource<Entity, Update>,
): Promise<Partial<Record<'create' | 'update' | 'delete', BulkOutcome>>> {
  const outcomes: Partial<Record<'create' | 'update' | 'delete', { success: string[]; errors: { error: string; status_code: number }[] }>> =
    {}
  for (const action of actions) {
    outcomes[action.action] ??= { success: [], errors: [] }
    const outcome = outcomes[action.action] as { success: string[]; errors: { error: string; status_code: number }[] }
    const keys = action.entities.map((entity) => (typeof entity === 'string' ? entity : resource.keyOf(entity as Entity)))
    const known = new Set<string>()
    for (const key of keys) if (await resource.has(key)) known.add(key)
    const mayFail = action.action === 'create' ? action.action_on_existence : action.action_on_non_existence
    const wrong = keys.filter((key) => known.has(key) === (action.action === 'create'))
    if (mayFail === 'fail' && wrong.length > 0) {
      const what = action.action === 'create' ? 'there already' : 'not there'
      outcome.errors.push({
        error: `No ${resource.noun} was ${PAST[action.action]}: ${wrong.map((key) => `"${key}"`).join(', ')} ${wrong.length > 1 ? 'are' : 'is'} ${what}.`,
        status_code: action.action === 'create' ? 409 : 404,
      })
      continue
    }
    for (const [i, entity] of action.entities.entries()) {
      const key = keys[i] as string
      if (mayFail === 'skip' && wrong.includes(key)) continue
      try {
        if (action.action === 'delete') await resource.delete(key)
        else if (action.action === 'update') await resource.update(entity as Update, action.update_mask ?? undefined)
        else if (known.has(key)) await resource.update(entity as unknown as Update, undefined)
        else await resource.create(entity as Entity)
        outcome.success.push(key)
      } catch (error) {
        if (errorCode(error) === 'internal') throw error
        outcome.errors.push({ error: publicMessage(error as AppError), status_code: errorCode(error) === 'conflict' ? 409 : 400 })
      }
    }
  }
  return outcomes
}

const PAST = { create: 'created', update: 'updated', delete: 'deleted' } as const

/** `update_mask`: only these fields count; throws nothing for a field that was not sent. */
export const masked = <Fields extends object>(fields: Fields, mask: readonly string[] | undefined): Partial<Fields> =>
  mask === undefined || mask.length === 0
    ? fields
    : (Object.fromEntries(Object.entries(fields).filter(([name]) => mask.includes(name))) as Partial<Fields>)
