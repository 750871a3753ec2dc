/** Users: list, create, change, delete. For admins; a user's tokens end with any change of role or password. */
import { z } from 'zod'
import { changeUsers, generatePassword, hashPassword, type User, type UserStore } from '../../accounts/user.ts'
import { AppError, didYouMean } from '../../core/app-error.ts'
import { readBody } from '../airflow-body.ts'
import { only, type Recorder, recorded } from '../airflow-record.ts'
import { type Door, permit } from '../door.ts'

const role = z.enum(['viewer', 'user', 'op', 'admin'])
export const newPassword = z.string().min(8, 'must have at least 8 characters').max(1000)

const Create = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][\w.@-]{0,63}$/, 'must be letters, digits, "_", ".", "@" or "-", at most 64 of them'),
  role,
  password: newPassword.optional(),
})
const Change = z.strictObject({ role: role.optional(), password: newPassword.optional() })

/** `/auth/users`: passwords come in and never go out, but for the one that is made when a new user is given none. */
export function addUserRoutes(door: Door, users: UserStore, recorder: Recorder): void {
  const find = async (name: string): Promise<User> => {
    const user = await users.find(name)
    if (user) return user
    const known = (await users.list()).map((each) => each.name)
    throw new AppError('not_found', `There is no user "${name}".${didYouMean(name, known)} GET /auth/users lists them.`)
  }

  const refuseTwin = async (name: string): Promise<void> => {
    if (await users.find(name))
      throw new AppError('conflict', `There is a user "${name}" already. Change it with PATCH /auth/users/${name}.`)
  }

  /** Somebody must be left who can make users. */
  const keepAnAdmin = async (user: User, what: string): Promise<void> => {
    const admins = (await users.list()).filter((each) => each.role === 'admin')
    if (user.role !== 'admin' || admins.length > 1) return
    throw new AppError('conflict', `User "${user.name}" cannot ${what}: nobody else is admin. Make another admin first.`)
  }

  door.get('/auth/users', permit('users.read'), async (c) => {
    const all = (await users.list()).map(present)
    return c.json({ users: all, total_entries: all.length })
  })
  door.get('/auth/users/:name', permit('users.read'), async (c) => c.json(present(await find(c.req.param('name')))))

  door.post('/auth/users', permit('users.write'), recorded(recorder, 'create_user', { shown: only('name', 'role') }), async (c) => {
    const body = await readBody(c.req.raw, Create)
    await refuseTwin(body.name)
    const given = body.password ?? generatePassword()
    const user = { name: body.name, role: body.role, passwordHash: await hashPassword(given) }
    await changeUsers(async () => {
      await refuseTwin(body.name)
      await users.save(user)
    })
    return c.json({ ...present(user), ...(body.password === undefined && { password: given }) }, 201)
  })

  door.patch('/auth/users/:name', permit('users.write'), recorded(recorder, 'update_user', { shown: only('role') }), async (c) => {
    const { name } = await find(c.req.param('name'))
    const body = await readBody(c.req.raw, Change)
    const hash = body.password === undefined ? null : await hashPassword(body.password)
    const changed = await changeUsers(async () => {
      const user = await find(name)
      if (body.role !== undefined && body.role !== 'admin') await keepAnAdmin(user, `become ${body.role}`)
      const saved = { name, role: body.role ?? user.role, passwordHash: hash ?? user.passwordHash }
      await users.save(saved)
      return saved
    })
    return c.json(present(changed))
  })

  door.delete('/auth/users/:name', permit('users.write'), recorded(recorder, 'delete_user'), async (c) => {
    await changeUsers(async () => {
      const user = await find(c.req.param('name'))
      await keepAnAdmin(user, 'be deleted')
      await users.delete(user.name)
    })
    return c.body(null, 204)
  })
}

const present = ({ name, role }: User) => ({ name, role })
