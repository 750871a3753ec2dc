/** `daggerboard variables …` */
import { AppError } from '../core/app-error.ts'
import type { VariableView } from './airflow.ts'
import { path } from './client.ts'
import { command, flag, optional, required, text } from './command.ts'
import { readPiped } from './confirm.ts'
import { bring, fileFormat, formatOf, MASK, onExisting, readFrom, tellMasked, writeEntries } from './exchange.ts'

const key = required('key of the variable')
const showValues = flag('with secrets in the clear: for the owner of the home folder, on this machine')

const list = command({
  name: 'list',
  summary: 'List all variables',
  options: { showValues: flag('with their values; secrets stay masked') },
  async run({ client, out }, { showValues }) {
    const all = await client.list<VariableView>('/api/v2/variables', 'variables')
    if (showValues) out.rows(all, ['key', 'value', 'description'], 'There are no variables.')
    else
      out.rows(
        all.map(({ key, description }) => ({ key, description })),
        ['key', 'description'],
        'There are no variables.',
      )
  },
})

const get = command({
  name: 'get',
  summary: 'Print the value of a variable',
  args: { key },
  options: {
    default: text('VALUE', 'what to print when there is no such variable', { short: '-d' }),
    json: flag('read the value as JSON; status 1 if it is none', { short: '-j' }),
    showValues,
  },
  async run({ client, out, host, inspected }, { key, default: fallback, json, showValues }) {
    const found = await client.find<VariableView>(path`/api/v2/variables/${key}`)
    if (!found && fallback === undefined) throw new AppError('not_found', `There is no variable "${key}". See: daggerboard variables list`)
    const clear = found && showValues ? (await host.secrets(inspected.settings)).variables.find((each) => each.key === key) : undefined
    const shown = { key, value: fallback ?? '', description: null, ...found, ...clear }
    if (!json || !found) return out.done(shown.value, shown)
    const value = parsed(key, shown.value)
    out.done(typeof value === 'string' ? value : JSON.stringify(value), { ...shown, value })
  },
})

function parsed(key: string, value: string): unknown {
  try {
    return JSON.parse(value)
  } catch (cause) {
    throw new AppError('invalid', `The value of variable "${key}" is not JSON. Print it as it is, without --json.`, { cause })
  }
}

const set = command({
  name: 'set',
  summary: 'Set a variable, whether there is one or not',
  args: { key, value: optional('the value; without it, what is piped in, which no list of processes shows') },
  options: { description: text('TEXT', 'what it is for'), json: flag('keep the value as a JSON string', { short: '-j' }) },
  async run({ client, out, stdin }, { key, value, description, json }) {
    const given = value ?? (await readPiped(stdin, 'variables set'))
    const body = { key, value: json ? JSON.stringify(given) : given, ...(description !== undefined && { description }) }
    const { saved, isNew } = await client.save(path`/api/v2/variables/${key}`, body, '/api/v2/variables', body)
    out.done(`Variable "${key}" is ${isNew ? 'made' : 'changed'}.`, saved)
  },
})

const remove = command({
  name: 'delete',
  summary: 'Delete a variable',
  args: { key },
  async run({ client, out }, { key }) {
    await client.delete(path`/api/v2/variables/${key}`)
    out.done(`Variable "${key}" is deleted.`, { key })
  },
})

const importFile = command({
  name: 'import',
  summary: "Take variables from a file: Airflow's export as JSON or YAML, or KEY=value lines",
  args: { file: required('the file; - for what is piped in') },
  options: { fileFormat, actionOnExistingKey: onExisting },
  async run(context, { file, fileFormat, actionOnExistingKey }) {
    const { importVariables } = await context.host.exchange()
    const { found, masked } = await readFrom(file, fileFormat, context, importVariables)
    tellMasked(context, masked)
    // A file that says nothing of what a variable is for leaves that as it is.
    const entities = found.map(({ description, ...rest }) => (description === null ? rest : { ...rest, description }))
    return bring(context, { path: '/api/v2/variables', noun: 'variables' }, entities, actionOnExistingKey)
  },
})

const exportFile = command({
  name: 'export',
  summary: 'Write all variables to a file that can be imported here or in Airflow',
  args: { file: required('the file; - for the output') },
  options: { fileFormat, showValues },
  async run(context, { file, fileFormat, showValues }) {
    const { client, out, terminal, host, inspected } = context
    const all = showValues
      ? (await host.secrets(inspected.settings)).variables
      : await client.list<VariableView>('/api/v2/variables', 'variables')
    const masked = all.filter(({ value }) => value.includes(MASK)).length
    if (masked > 0) terminal.line(`${masked} values are masked. The owner of the home folder can add --show-values.`)
    const { exportVariables } = await host.exchange()
    writeEntries(context, file, fileFormat, exportVariables(all, formatOf(file, fileFormat)))
    if (file !== '-') out.done(`${all.length} variables are in ${file}.`, { file, variables: all.length })
  },
})

export const variables = [list, get, set, remove, importFile, exportFile]
