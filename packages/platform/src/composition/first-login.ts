/** The first login: the user admin, whose password is printed once. */
import { generatePassword, hashPassword, passwordMatches, type UserStore } from '../accounts/user.ts'

/**
 * Makes sure that there is an admin. A password from the settings replaces the kept one; without any, one is made and answered,
 * to be shown this once: only its hash is kept.
 */
export async function ensureAdmin(users: UserStore, configuredPassword: string): Promise<{ readonly newPassword: string | null }> {
  const admin = await users.find('admin')
  if (configuredPassword !== '') {
    const isKept = admin !== null && (await passwordMatches(configuredPassword, admin.passwordHash))
    if (!isKept) await users.save({ name: 'admin', role: 'admin', passwordHash: await hashPassword(configuredPassword) })
    return { newPassword: null }
  }
  if (admin) return { newPassword: null }
  const newPassword = generatePassword()
  await users.save({ name: 'admin', role: 'admin', passwordHash: await hashPassword(newPassword) })
  return { newPassword }
}
