/** Renders the arguments of a task, in the worker that runs it. */
import type { Connection } from '@daggerboard/dag'
import type { TaskFacts } from './task-facts.ts'
import type { RenderOptions } from './task-run.ts'
import { renderTemplates, type TemplateSources } from './template.ts'
import { templateReader } from './template-file.ts'
import { templateNames } from './template-names.ts'

/** `args` with every string in it rendered; of an operator that names its template fields, only in those. */
export async function renderArgs(args: unknown, facts: TaskFacts, options: RenderOptions): Promise<unknown> {
  const { host, fields, place = 'args', names = {} } = options
  const sources: TemplateSources = {
    variable: (key) => host.ask({ what: 'variable', key }) as Promise<string>,
    xcom: (taskId, key, mapIndex) => host.ask({ what: 'xcomPull', taskId, key, ...(mapIndex !== undefined && { mapIndex }) }),
    platform: (ask) => host.ask({ what: 'platform', ask }),
    async connection(id) {
      const { type, extra, ...rest } = (await host.ask({ what: 'connection', id })) as Connection
      return { ...rest, conn_id: id, conn_type: type, extra: JSON.stringify(extra), extra_dejson: extra }
    },
  }
  const firstStartedAt = facts.firstStartedAt ?? host.now().toISOString()
  const known = { ...templateNames({ ...facts, firstStartedAt }), ...names }
  const { templateSearchPath, rendersNative } = facts.dag
  const settings = {
    place,
    isNative: rendersNative,
    ...(options.extensions && { extensions: options.extensions }),
    ...(options.files && { readFile: templateReader(options.files, templateSearchPath) }),
  }
  if (!fields || typeof args !== 'object' || args === null) return renderTemplates(args, known, sources, settings)
  const templates = Object.fromEntries(Object.entries(args).filter(([name]) => fields.includes(name)))
  return { ...args, ...((await renderTemplates(templates, known, sources, settings)) as object) }
}
