/** The filter of a list of builds: `status="WORKING" AND tags="nightly"`; `=` `!=` `<` `<=` `>` `>=`, AND before OR, values with or without quotes. */
import type { Build } from '../../builds/build.ts'
import { revisionOf } from '../../builds/build.ts'
import { AppError, didYouMean } from '../../core/app-error.ts'

/** Fields by their documented names, each with the values that a build has there. */
const FIELDS: Readonly<Record<string, (build: Build) => (string | undefined | null)[]>> = {
  build_id: ({ id }) => [id],
  id: ({ id }) => [id],
  project_id: ({ projectId }) => [projectId],
  status: ({ status }) => [status],
  tags: ({ tags = [] }) => tags,
  images: ({ images = [] }) => images,
  trigger_id: ({ buildTriggerId }) => [buildTriggerId],
  build_trigger_id: ({ buildTriggerId }) => [buildTriggerId],
  create_time: ({ createTime }) => [createTime],
  start_time: ({ startTime }) => [startTime],
  finish_time: ({ finishTime }) => [finishTime],
  'source.repo_source.repo_name': ({ source }) => [source?.repoSource?.repoName],
  'source.repo_source.branch_name': ({ source }) => [source?.repoSource?.branchName],
  'source.repo_source.tag_name': ({ source }) => [source?.repoSource?.tagName],
  'source.repo_source.commit_sha': ({ source }) => [source?.repoSource?.commitSha],
  'source.storage_source.bucket': ({ source }) => [source?.storageSource?.bucket],
  'source.storage_source.object': ({ source }) => [source?.storageSource?.object],
  'source_provenance.resolved_repo_source.commit_sha': (build) => [revisionOf(build).commitSha],
  'results.images.name': ({ results }) => (results?.images ?? []).map(({ name }) => name),
  'results.images.digest': ({ results }) => (results?.images ?? []).map(({ digest }) => digest),
}

const TOKEN = /\s*(?:(AND|OR)\b|([\w.]+)\s*(!=|<=|>=|=|<|>)\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+)))/gy

/** Throws `invalid` for a filter that cannot be read. An empty one lets everything through. */
export function parseFilter(filter: string): (build: Build) => boolean {
  const alternatives: ((build: Build) => boolean)[][] = [[]]
  const text = filter.trim()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (!match)
      throw new AppError(
        'invalid',
        `The filter cannot be read at "${text.slice(from, from + 40)}". Write it like: status="SUCCESS" AND tags="nightly".`,
      )
    const [, word, field = '', operator = '', ...values] = match
    if (word === 'OR') alternatives.push([])
    else if (word === undefined) alternatives.at(-1)?.push(comparison(field, operator, values.find((value) => value !== undefined) ?? ''))
  }
  return (build) => alternatives.some((all) => all.every((test) => test(build)))
}

function comparison(field: string, operator: string, value: string): (build: Build) => boolean {
  const name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const valuesOf = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
  if (!valuesOf) throw new AppError('invalid', `Builds cannot be filtered by "${field}".${didYouMean(name, Object.keys(FIELDS))}`)
  const wanted = /_time$/.test(name) && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : value
  return (build) => {
    const has = valuesOf(build).filter((v): v is string => typeof v === 'string' && v !== '')
    if (operator === '!=') return !has.includes(wanted)
    return has.some((v) =>
      operator === '='
        ? v === wanted
        : operator === '<'
          ? v < wanted
          : operator === '<='
            ? v <= wanted
            : operator === '>'
              ? v > wanted
              : v >= wanted,
    )
  }
}
