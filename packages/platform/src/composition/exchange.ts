/** Files of variables, connections and pools for the commands, read and written by the rooms whose they are. */
import type { ConnectionFields, Exchange, PoolFields, VariableFields } from '../cli/host.ts'
import type { Pool } from '../scheduling/pool.ts'
import { exportPools, importPools } from '../scheduling/pool-import.ts'
import { type Connection, parseConnection, parseExtra } from '../secrets/connection.ts'
import { parseEntries } from '../secrets/entries.ts'
import { exportConnections, exportVariables, importConnections, importVariables } from '../secrets/import.ts'

export const exchange: Exchange = {
  importVariables: (text, format) => importVariables(parseEntries(text, format)),
  importConnections(text, format) {
    const { found, masked } = importConnections(parseEntries(text, format))
    return { found: found.map(fieldsOf), masked }
  },
  importPools: (text, format) => importPools(parseEntries(text, format, 'name')).map(poolFields),
  exportVariables: (variables: readonly VariableFields[], format) => exportVariables(variables, format),
  exportConnections: (connections, format) => exportConnections(connections.map(connectionOf), format),
  exportPools: (pools) => exportPools(pools.map(poolOf)),
  parseConnection: (id, text) => fieldsOf(parseConnection(id, text)),
}

export const fieldsOf = ({ id, type, extra, ...rest }: Connection): ConnectionFields => ({
  connection_id: id,
  conn_type: type,
  ...rest,
  extra: Object.keys(extra).length === 0 ? null : JSON.stringify(extra),
})

const connectionOf = ({
  connection_id: id,
  conn_type: type,
  extra,
  host,
  port,
  schema,
  login,
  password,
  description,
}: ConnectionFields) => ({
  ...{ id, type, host, port, schema, login, password, description },
  extra: parseExtra(id, extra ?? ''),
})

const poolFields = ({ includeDeferred, description, ...pool }: Pool): PoolFields => ({
  ...pool,
  description: description ?? '',
  include_deferred: includeDeferred,
})

const poolOf = ({ name, slots, description, include_deferred: includeDeferred }: PoolFields): Pool => ({
  ...{ name, slots, description, includeDeferred },
})
