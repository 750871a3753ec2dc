/** `gsutil`: cp, rsync, ls, cat and rm over Cloud Storage's JSON API. */
import type { Tool } from './command.ts'
import { storageCommands } from './copying.ts'

export const gsutil: Tool = {
  name: 'gsutil',
  commands: storageCommands([], { recursive: { kind: 'boolean', short: 'r' } }),
  flags: { m: { kind: 'boolean', short: 'm', ignored: true }, q: { kind: 'boolean', short: 'q', ignored: true } },
}
