/** Artifacts: their lists by run or model, and the proxied files under `mlflow-artifacts`. */
import type { Context } from 'hono'
import { AppError } from '../../core/app-error.ts'
import { type ArtifactStore, checkArtifactPath, joinPath, pathOfUri } from '../../models/artifact.ts'
import type { ModelRegistry } from '../../models/registry.ts'
import { type Door, type DoorEnvironment, permit } from '../door.ts'
import { noMultipart } from './error.ts'
import { input, text } from './request.ts'

/** Shown by the browser as they are; all else is a download, because a page among the artifacts must not run as ours. */
const SHOWN: ReadonlyMap<string, string> = new Map(
  Object.entries({
    png: 'image/png',
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    json: 'application/json',
    txt: 'text/plain; charset=utf-8',
    csv: 'text/plain; charset=utf-8',
    yml: 'text/plain; charset=utf-8',
    yaml: 'text/plain; charset=utf-8',
    lgb: 'text/plain; charset=utf-8',
  }),
)

/** `artifacts/list`, beside the runs. */
export function artifactListRoutes(door: Door, { runs, artifacts }: ModelRegistry): void {
  door.get('/artifacts/list', permit('models.read'), async (c) => {
    const given = await input(c, { run_id: text.optional(), run_uuid: text.optional(), path: text.default('') })
    const { artifactUri } = await runs.get(given.run_id ?? given.run_uuid ?? '')
    return c.json(await listing(artifacts, artifactUri, given.path))
  })
}

/** The folder `path` below `rootUri`; the paths in the answer start at the root. */
export async function listing(artifacts: ArtifactStore, rootUri: string, path: string) {
  const folder = path === '' ? '' : checkArtifactPath(path)
  const entries = await artifacts.list(joinPath(pathOfUri(rootUri), folder))
  const files = entries.map((entry) => ({ ...toWire(entry), path: joinPath(folder, entry.path) }))
  return { root_uri: rootUri, files }
}

/** Mounted where the client of a proxied store looks: `mlflow-artifacts/…`. */
export function artifactRoutes(door: Door, { artifacts }: ModelRegistry): void {
  door.get('/artifacts', permit('models.read'), async (c) => {
    const { path } = await input(c, { path: text.default('') })
    const entries = await artifacts.list(path === '' ? '' : checkArtifactPath(path))
    return c.json({ files: entries.map(toWire) })
  })

  door.put('/artifacts/*', permit('models.write'), async (c) => {
    await artifacts.write(pathOf(c), c.req.raw.body, c.req.raw.signal)
    return c.json({})
  })

  door.get('/artifacts/*', permit('models.read'), async (c) => {
    const path = pathOf(c)
    const { bytes, stream } = await artifacts.read(path)
    const type = SHOWN.get(path.slice(path.lastIndexOf('.') + 1).toLowerCase())
    const headers = {
      'Content-Length': String(bytes),
      'Content-Type': type ?? 'application/octet-stream',
      'Content-Disposition': type ? 'inline' : 'attachment',
      'X-Content-Type-Options': 'nosniff',
    }
    if (c.req.method !== 'HEAD') return c.body(stream, 200, headers)
    await stream.cancel()
    return c.body(null, 200, headers)
  })

  door.delete('/artifacts/*', permit('models.write'), async (c) => {
    await artifacts.delete(pathOf(c))
    return c.json({})
  })

  door.post('/mpu/*', permit('models.write'), noMultipart)
}

const toWire = ({ path, isFolder, bytes }: { path: string; isFolder: boolean; bytes: number | null }) => ({
  path,
  is_dir: isFolder,
  ...(bytes === null ? {} : { file_size: bytes }),
})

function pathOf(c: Context<DoorEnvironment>): string {
  const { pathname } = new URL(c.req.url)
  const encoded = pathname.slice(pathname.indexOf('/mlflow-artifacts/artifacts/') + '/mlflow-artifacts/artifacts/'.length)
  try {
    return checkArtifactPath(decodeURIComponent(encoded))
  } catch (error) {
    if (error instanceof URIError) throw new AppError('invalid', `Invalid path "${encoded}": its percent signs are not those of a URL.`)
    throw error
  }
}
