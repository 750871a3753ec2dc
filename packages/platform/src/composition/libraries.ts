/** The platform's own libraries, served as npm packages to the builds of model projects. */
import { join } from 'node:path'
import { TypescriptLibraryStore } from '../adapters/typescript/library.ts'
import { npmDoor } from '../http/npm/npm-door.ts'
import { Libraries } from '../libraries/library.ts'
import { ROOT } from '../settings.ts'
import type { Ground, Part } from './part.ts'

export function composeLibraries({ home, stopping, logger }: Ground): Part {
  const store = new TypescriptLibraryStore({ workspaces: join(ROOT, 'packages'), folder: home.folder('libraries') })
  const libraries = new Libraries({ store })
  // Made in the background, so that the first build that installs them need not wait.
  const start = async () => {
    libraries.prepare(stopping).catch((error: unknown) => {
      if (!stopping.aborted) logger.warn('The libraries could not be made ahead of the first build', { error })
    })
  }
  return { doors: [npmDoor({ libraries })], services: [{ start, stop: () => store.stop() }] }
}
