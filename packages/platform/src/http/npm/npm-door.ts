/** The door that npm comes through for the platform's own libraries: `@daggerboard:registry=…/npm/`. */
import { AppError, publicMessage } from '../../core/app-error.ts'
import type { Libraries } from '../../libraries/library.ts'
import { createDoor, type Door, permit } from '../door.ts'

export interface NpmDoorOptions {
  readonly libraries: Libraries
  readonly onInternalError?: (error: unknown) => void
}

export function npmDoor({ libraries, onInternalError = console.error }: NpmDoorOptions): Door {
  // npm prints the text of `error`.
  const door = createDoor({ onInternalError, errorBody: (error) => ({ error: publicMessage(error) }) })

  door.get('/npm/*', permit('packages.read'), async (c) => {
    const url = new URL(c.req.url)
    const path = decoded(url.pathname.slice('/npm/'.length))
    const [, name, rest] = /^((?:@[^/]+\/)?[^/@]+)(?:\/-\/(.+))?$/.exec(path) ?? []
    if (!name)
      throw new AppError(
        'not_found',
        `This registry answers packages and their tarballs, and "${c.req.path}" is neither. Ask for /npm/@SCOPE%2fNAME.`,
      )
    if (rest === undefined) return c.json(await libraries.packument(name, `${url.origin}/npm`), 200, NOT_KEPT)
    const { content, integrity } = await libraries.tarball(name, rest)
    return c.body(content as Uint8Array<ArrayBuffer>, 200, {
      ...NOT_KEPT,
      'Content-Type': 'application/octet-stream',
      ETag: `"${integrity}"`,
    })
  })

  return door
}

/** A library under work has new contents under the same version, so npm's cache must ask each time. */
const NOT_KEPT = { 'Cache-Control': 'no-cache' }

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new AppError('invalid', `The path "${path}" is no URL path: its percent signs stand for nothing.`)
  }
}
