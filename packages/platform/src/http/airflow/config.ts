/** The settings in Airflow's words, and the lists that are empty here. */
import { AppError, didYouMean } from '../../core/app-error.ts'
import { one, paging, readQuery, text } from '../airflow-query.ts'
import { type Door, permit } from '../door.ts'
import type { AirflowDoorOptions } from './airflow-door.ts'

export interface ConfigOption {
  readonly section: string
  readonly key: string
  /** `***` for a secret. */
  readonly value: string
}

export function addConfigRoutes(door: Door, { config }: AirflowDoorOptions): void {
  const requireConfig = (): void => {
    if (config.length === 0)
      throw new AppError('not_found', 'The settings are not told here. Set expose_config = "true" in section [api] of daggerboard.toml.')
  }
  const sectionsOf = (options: readonly ConfigOption[]) =>
    [...new Set(options.map(({ section }) => section))].map((name) => ({
      name,
      options: options.filter(({ section }) => section === name).map(({ key, value }) => ({ key, value })),
    }))
  /** As JSON, or as a file of settings would have it. */
  const answer = (options: readonly ConfigOption[], accept: string | undefined): Response => {
    const sections = sectionsOf(options)
    if (!accept?.includes('text/plain')) return Response.json({ sections })
    const lines = sections.map(({ name, options }) => [`[${name}]`, ...options.map(({ key, value }) => `${key} = ${value}`), ''].join('\n'))
    return new Response(lines.join('\n'), { headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
  }

  door.get('/api/v2/config', permit('config.read'), (c) => {
    requireConfig()
    const { section } = readQuery(c.req, { section: one(text) })
    const known = [...new Set(config.map((option) => option.section))]
    if (section !== undefined && !known.includes(section))
      throw new AppError('not_found', `There is no section "${section}".${didYouMean(section, known)} There are ${known.join(', ')}.`)
    return answer(
      config.filter((option) => section === undefined || option.section === section),
      c.req.header('accept'),
    )
  })

  door.get('/api/v2/config/section/:section/option/:option', permit('config.read'), (c) => {
    requireConfig()
    const { section, option: key } = c.req.param()
    const found = config.filter((option) => option.section === section && option.key === key)
    if (found.length > 0) return answer(found, c.req.header('accept'))
    const known = config.filter((option) => option.section === section).map((option) => option.key)
    throw new AppError('not_found', `There is no option "${key}" in section "${section}".${didYouMean(key, known)}`)
  })

  // What comes with Airflow as plugins and providers is part of the platform.
  door.get('/api/v2/plugins', permit('dags.read'), (c) => {
    readQuery(c.req, paging)
    return c.json({ plugins: [], total_entries: 0 })
  })
  door.get('/api/v2/plugins/importErrors', permit('dags.read'), (c) => c.json({ import_errors: [], total_entries: 0 }))
  door.get('/api/v2/providers', permit('dags.read'), (c) => {
    readQuery(c.req, paging)
    return c.json({ providers: [], total_entries: 0 })
  })
}
