/** `daggerboard users …`: for admins. */
import { AppError } from '../core/app-error.ts'
import { path } from './client.ts'
import { choice, command, flag, required, withDefault } from './command.ts'
import { askSecret, readPiped } from './confirm.ts'
import type { Context } from './context.ts'
import type { Row } from './output.ts'

const ROLES = ['viewer', 'user', 'op', 'admin'] as const

interface UserView extends Row {
  readonly name: string
  readonly role: string
  /** Only when the platform has just made it. */
  readonly password?: string
}

const name = required('name of the user')
const passwordStdin = flag('the password is piped in; else it is asked for on a terminal')

async function newPassword(context: Context, isPiped: boolean, command: string): Promise<string> {
  if (isPiped) return readPiped(context.stdin, `${command} --password-stdin`)
  const given = await askSecret(context, 'New password: ', command)
  if (given === (await askSecret(context, 'Once more: ', command))) return given
  throw new AppError('invalid', 'The two are not the same. Nothing was changed.')
}

const list = command({
  name: 'list',
  summary: 'List all users and their roles',
  async run({ client, out }) {
    out.rows((await client.get<{ users: UserView[] }>('/auth/users')).users, ['name', 'role'])
  },
})

const create = command({
  name: 'create',
  summary: 'Make a user; a password is made and shown once, unless one is piped in',
  args: { name },
  options: { role: withDefault(choice(ROLES, 'what the user may do'), 'viewer'), passwordStdin: flag('the password is piped in') },
  async run({ client, out, stdin }, { name, role, passwordStdin }) {
    const password = passwordStdin ? await readPiped(stdin, 'users create --password-stdin') : undefined
    const made = await client.post<UserView>('/auth/users', { name, role, ...(password !== undefined && { password }) })
    out.done(`User "${name}" is ${role}.${made.password === undefined ? '' : ` The password, shown this once: ${made.password}`}`, made)
  },
})

const remove = command({
  name: 'delete',
  summary: 'Delete a user; all tokens of the user end',
  args: { name },
  options: { yes: flag('do not ask', { short: '-y' }) },
  async run({ client, out, confirm }, { name, yes }) {
    await confirm(`Delete user "${name}"?`, yes)
    await client.delete(path`/auth/users/${name}`)
    out.done(`User "${name}" is deleted.`, { name })
  },
})

const setRole = command({
  name: 'set-role',
  summary: 'Give a user another role',
  args: { name, role: { ...required(`one of ${ROLES.join(', ')}`), read: readRole } },
  async run({ client, out }, { name, role }) {
    out.done(`User "${name}" is ${role} now.`, await client.patch(path`/auth/users/${name}`, { role }))
  },
})

function readRole(text: string): string {
  if (!ROLES.some((role) => role === text)) throw new Error(`must be one of ${ROLES.join(', ')}`)
  return text
}

const resetPassword = command({
  name: 'reset-password',
  summary: 'Give a user another password; all tokens of the user end',
  args: { name },
  options: { passwordStdin },
  async run(context, { name, passwordStdin }) {
    const password = await newPassword(context, passwordStdin, 'users reset-password')
    const changed = await context.client.patch(path`/auth/users/${name}`, { password })
    context.out.done(`User "${name}" has another password.`, changed)
  },
})

export const users = [list, create, remove, setRole, resetPassword]
