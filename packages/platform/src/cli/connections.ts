/** `daggerboard connections …` */
import { AppError } from '../core/app-error.ts'
import type { ConnectionView } from './airflow.ts'
import { path } from './client.ts'
import { command, flag, json, required, text, wholeNumber } from './command.ts'
import { readPiped } from './confirm.ts'
import { bring, fileFormat, formatOf, MASK, onExistingConnection, readFrom, tellMasked, writeEntries } from './exchange.ts'
import type { ConnectionFields } from './host.ts'
import type { Column } from './output.ts'

const COLUMNS: readonly Column<ConnectionView>[] = ['connection_id', 'conn_type', 'host', 'port', 'schema', 'login', 'description']

const connId = required('id of the connection')
const showValues = flag('with secrets in the clear: for the owner of the home folder, on this machine')

const list = command({
  name: 'list',
  summary: 'List all connections',
  options: { connId: text('ID', 'only this one') },
  async run({ client, out }, { connId }) {
    const all = await client.list<ConnectionView>('/api/v2/connections', 'connections')
    out.rows(connId === undefined ? all : all.filter((each) => each.connection_id === connId), COLUMNS, 'There are no connections.')
  },
})

const get = command({
  name: 'get',
  summary: 'Show a connection',
  args: { connId },
  options: { showValues },
  async run({ client, out, host, inspected }, { connId, showValues }) {
    const found = await client.get<ConnectionView>(path`/api/v2/connections/${connId}`)
    const clear = showValues
      ? (await host.secrets(inspected.settings)).connections.find((each) => each.connection_id === connId)
      : undefined
    out.record({ ...found, ...clear })
  },
})

const add = command({
  name: 'add',
  summary: 'Add a connection: as a URI, as JSON, or by its parts',
  details:
    'What is written on a command line can be read in the list of processes: pipe a URI or JSON with a password in, with --conn-stdin.',
  args: { connId },
  options: {
    connUri: text('URI', 'type://login:password@host:port/schema?key=value'),
    connJson: text('JSON', '{"conn_type": …, "host": …}'),
    connStdin: flag('the URI or the JSON is piped in'),
    connType: text('TYPE', 'http, postgres, google_cloud_platform …'),
    connHost: text('HOST', 'host'),
    connPort: wholeNumber('PORT', 'port', 1),
    connSchema: text('SCHEMA', 'schema, or name of the database'),
    connLogin: text('LOGIN', 'name of the user'),
    connPassword: text('PASSWORD', 'password'),
    connExtra: json('anything else'),
    connDescription: text('TEXT', 'what it is for'),
  },
  async run({ client, out, host, stdin }, values) {
    const { connId, connUri, connJson, connStdin, connDescription } = values
    const whole = connStdin ? await readPiped(stdin, 'connections add --conn-stdin') : (connUri ?? connJson)
    const parts = {
      conn_type: values.connType,
      host: values.connHost,
      port: values.connPort,
      schema: values.connSchema,
      login: values.connLogin,
      password: values.connPassword,
      extra: values.connExtra === undefined ? undefined : JSON.stringify(values.connExtra),
    }
    const hasParts = Object.values(parts).some((part) => part !== undefined)
    const ways = [connUri !== undefined, connJson !== undefined, connStdin, hasParts].filter(Boolean).length
    if (ways !== 1 || (hasParts && parts.conn_type === undefined))
      throw new AppError(
        'invalid',
        `Say what connection "${connId}" is in one way: --conn-uri, --conn-json, --conn-stdin, or --conn-type with the other --conn-… parts.`,
        { exitStatus: 2 },
      )
    const fields = whole === undefined ? { connection_id: connId, ...parts } : (await host.exchange()).parseConnection(connId, whole)
    const body = { ...fields, ...(connDescription !== undefined && { description: connDescription }) }
    out.done(`Connection "${connId}" is added.`, await client.post('/api/v2/connections', body))
  },
})

const remove = command({
  name: 'delete',
  summary: 'Delete a connection',
  args: { connId },
  async run({ client, out }, { connId }) {
    await client.delete(path`/api/v2/connections/${connId}`)
    out.done(`Connection "${connId}" is deleted.`, { connection_id: connId })
  },
})

const test = command({
  name: 'test',
  summary: 'Try whether a connection works; status 1 if it does not',
  details: 'Switched off, as it is in Airflow by default: a platform that reaches whatever host it is told to is a way into its network.',
  args: { connId },
  async run({ client, out }, { connId }) {
    const found = await client.get<ConnectionView>(path`/api/v2/connections/${connId}`)
    const { status, message } = await client.post<{ status: boolean; message: string }>('/api/v2/connections/test', found)
    out.done(message, { connection_id: connId, status, message })
    return status ? 0 : 1
  },
})

const importFile = command({
  name: 'import',
  summary: "Take connections from a file: Airflow's export as JSON or YAML, or ID=URI lines",
  args: { file: required('the file; - for what is piped in') },
  options: {
    fileFormat,
    actionOnExisting: onExistingConnection,
    overwrite: flag("the same as --action-on-existing overwrite: Airflow's word"),
  },
  async run(context, { file, fileFormat, actionOnExisting, overwrite }) {
    const { importConnections } = await context.host.exchange()
    const { found, masked } = await readFrom(file, fileFormat, context, importConnections)
    tellMasked(context, masked)
    return bring(context, { path: '/api/v2/connections', noun: 'connections' }, found, overwrite ? 'overwrite' : actionOnExisting)
  },
})

const exportFile = command({
  name: 'export',
  summary: 'Write all connections to a file that can be imported here or in Airflow',
  args: { file: required('the file; - for the output') },
  options: { fileFormat, showValues },
  async run(context, { file, fileFormat, showValues }) {
    const { client, out, terminal, host, inspected } = context
    const all: readonly ConnectionFields[] = showValues
      ? (await host.secrets(inspected.settings)).connections
      : await client.list<ConnectionView>('/api/v2/connections', 'connections')
    const masked = all.filter(({ password, extra }) => password === MASK || extra?.includes(`"${MASK}"`)).length
    if (masked > 0) terminal.line(`Secrets of ${masked} connections are masked. The owner of the home folder can add --show-values.`)
    const { exportConnections } = await host.exchange()
    writeEntries(context, file, fileFormat, exportConnections(all, formatOf(file, fileFormat)))
    if (file !== '-') out.done(`${all.length} connections are in ${file}.`, { file, connections: all.length })
  },
})

const createDefaults = command({
  name: 'create-default-connections',
  summary: 'Make the connections again that a new platform has, where they are missing',
  async run({ client, out }) {
    await client.post('/api/v2/connections/defaults', {})
    out.done('The default connections are there.', await client.list<ConnectionView>('/api/v2/connections', 'connections'))
  },
})

export const connections = [list, get, add, remove, test, importFile, exportFile, createDefaults]
