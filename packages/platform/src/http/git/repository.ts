/** Git over HTTP at `/p/PROJECT/r/REPOSITORY`, protocol version 2, smart only; and the Source Repositories API that creates and lists them. */

import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Context } from 'hono'
import { AppError, didYouMean } from '../../core/app-error.ts'
import type { Pushes } from '../../repositories/push.ts'
import { type RepositoryStore, validateName } from '../../repositories/repository.ts'
import type { GitService, GitTransport } from '../../repositories/transport.ts'
import { readObject } from '../body.ts'
import { createDoor, type Door, type DoorEnvironment, googleErrorBody, permit, requirePermission } from '../door.ts'

export interface RepositoryDoorOptions {
  readonly repositories: RepositoryStore
  readonly transport: GitTransport
  readonly pushes: Pushes
  readonly projectId: string
  readonly onInternalError?: (error: unknown) => void
}

type GitContext = Context<DoorEnvironment>

const NO_CACHE = { 'cache-control': 'no-cache, max-age=0, must-revalidate', expires: 'Fri, 01 Jan 1980 00:00:00 GMT', pragma: 'no-cache' }

export function repositoryDoor({
  repositories,
  transport,
  pushes,
  projectId,
  onInternalError = console.error,
}: RepositoryDoorOptions): Door {
  const door = createDoor({ errorBody: googleErrorBody, challenge: 'Basic realm="daggerboard"', onInternalError })

  const nameOf = async (c: GitContext): Promise<string> => {
    const { project = '', repository = '' } = c.req.param() as Record<string, string>
    const name = repository.replace(/\.git$/, '')
    if (project !== projectId) throw new AppError('not_found', `There is no project "${project}" here, only "${projectId}".`)
    if (await repositories.find(validateName(name))) return name
    const names = (await repositories.list()).map((other) => other.name)
    throw new AppError('not_found', `There is no repository "${name}".${didYouMean(name, names)}`)
  }
  const permissionFor = (service: GitService) => (service === 'git-upload-pack' ? 'repositories.read' : 'repositories.write')

  door.get('/p/:project/r/:repository/info/refs', async (c) => {
    const service = serviceOf(c.req.query('service'))
    requirePermission(c, permissionFor(service))
    const stream = transport.advertise(await nameOf(c), service, c.req.header('git-protocol'))
    return new Response(stream, { headers: { ...NO_CACHE, 'content-type': `application/x-${service}-advertisement` } })
  })

  for (const service of ['git-upload-pack', 'git-receive-pack'] as const)
    door.post(`/p/:project/r/:repository/${service}`, async (c) => {
      const { subject } = requirePermission(c, permissionFor(service))
      const name = await nameOf(c)
      const { signal } = c.req.raw
      const { answer, done } = transport.exchange(name, service, c.req.header('git-protocol'), bodyOf(c), signal)
      // A push is told of also when the client has gone; the answer's end waits for that, so who has it may rely on it.
      const told = service === 'git-receive-pack' ? done.then(() => pushes.announce(name, subject)) : done
      told.catch(onInternalError)
      return new Response(endAfter(answer, told), { headers: { ...NO_CACHE, 'content-type': `application/x-${service}-result` } })
    })

  const resource = (name: string, origin: string) => ({
    name: `projects/${projectId}/repos/${name}`,
    url: `${origin}/p/${projectId}/r/${name}`,
  })
  const originOf = (c: GitContext) => new URL(c.req.url).origin

  door.get('/v1/projects/:project/repos', permit('repositories.read'), async (c) =>
    c.json({ repos: (await repositories.list()).map(({ name }) => resource(name, originOf(c))) }),
  )
  door.post('/v1/projects/:project/repos', permit('repositories.write'), async (c) => {
    const body = await readObject(c.req.raw)
    const name = String(body.name ?? '').replace(/^projects\/[^/]+\/repos\//, '')
    await repositories.create(validateName(name))
    return c.json(resource(name, originOf(c)))
  })
  door.get('/v1/projects/:project/repos/:repository', permit('repositories.read'), async (c) =>
    c.json(resource(await nameOf(c as unknown as GitContext), originOf(c))),
  )
  return door
}

function serviceOf(service: string | undefined): GitService {
  if (service === 'git-upload-pack' || service === 'git-receive-pack') return service
  throw new AppError('forbidden', 'This repository is served over the smart protocol only. Use git 1.6.6 or later.')
}

/** The request's bytes, unpacked where git has packed them. */
function bodyOf(c: GitContext): ReadableStream<Uint8Array> {
  const body = c.req.raw.body ?? (ReadableStream.from([]) as ReadableStream<Uint8Array>)
  const encoding = c.req.header('content-encoding')
  if (encoding === undefined || encoding === 'identity') return body
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw new AppError('invalid', `The content encoding "${encoding}" is not supported; send gzip or none.`)
  const packed = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0])
  const unpacked = createGunzip()
  packed.on('error', (error) => unpacked.destroy(error))
  return Readable.toWeb(packed.pipe(unpacked)) as ReadableStream<Uint8Array>
}

const endAfter = (stream: ReadableStream<Uint8Array>, end: Promise<void>): ReadableStream<Uint8Array> =>
  stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({ flush: () => end }))
