/** `docker`: build, push, pull, tag, images, login and version, without a container engine. What needs one is refused by name. */
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { AppError, didYouMean } from '../../../core/app-error.ts'
import { type Descriptor, readManifest } from '../../../images/manifest.ts'
import { buildImage } from '../image/build.ts'
import { LayerCache } from '../image/layer-cache.ts'
import { ImageLayout } from '../image/layout.ts'
import { nameOf, ownReference, readReference } from '../image/reference.ts'
import { RegistryClient } from '../image/registry-client.ts'
import type { Command, Invocation, Tool } from './command.ts'

const commands: readonly Command[] = [
  {
    path: ['build'],
    positionals: { minimum: 1, maximum: 1, names: 'the folder to build' },
    flags: {
      tag: { kind: 'repeated', short: 't' },
      file: { kind: 'string', short: 'f' },
      'build-arg': { kind: 'repeated' },
      label: { kind: 'repeated' },
      'no-cache': { kind: 'boolean' },
      quiet: { kind: 'boolean', short: 'q' },
      network: { kind: 'string', ignored: true },
      progress: { kind: 'string', ignored: true },
      pull: { kind: 'boolean', ignored: true },
    },
    run: build,
  },
  { path: ['push'], positionals: oneImage(), flags: { quiet: { kind: 'boolean', short: 'q' } }, run: push },
  { path: ['pull'], positionals: oneImage(), flags: { quiet: { kind: 'boolean', short: 'q' } }, run: pull },
  { path: ['tag'], positionals: { minimum: 2, maximum: 2, names: 'an image and its new name' }, flags: {}, run: tag },
  { path: ['images'], flags: { quiet: { kind: 'boolean', short: 'q' } }, run: images },
  {
    path: ['login'],
    positionals: { minimum: 0, maximum: 1, names: 'a registry' },
    flags: {
      username: { kind: 'string', short: 'u', ignored: true },
      password: { kind: 'string', short: 'p', ignored: true },
      'password-stdin': { kind: 'boolean', ignored: true },
    },
    // The build's own token is what counts.
    run: async ({ print }) => {
      print('Login Succeeded')
      return 0
    },
  },
  {
    path: ['version'],
    flags: {},
    run: async ({ print }) => {
      print('Docker-compatible tool of the Daggerboard process driver: build, push, pull, tag, images, login, version')
      return 0
    },
  },
]

export const docker: Tool = { name: 'docker', commands, flags: {} }

function oneImage() {
  return { minimum: 1, maximum: 1, names: 'the name of an image' }
}

async function build(call: Invocation): Promise<number> {
  const { flags, directory, environment, signal } = call
  const context = resolve(directory, call.positionals[0] ?? '')
  const file = flags.string('file') ? relative(context, resolve(directory, flags.string('file') ?? '')) : 'Dockerfile'
  if (!existsSync(join(context, file)))
    throw new AppError('invalid', `There is no ${file} in ${context}. Name it with -f, or build another folder.`)
  const names = flags.list('tag')
  for (const name of names) readReference(name)
  const quiet = flags.boolean('quiet')
  const layout = layoutOf(call)
  const descriptor = await buildImage({
    context,
    file,
    buildArguments: pairsOf(flags.list('build-arg'), environment),
    labels: pairsOf(flags.list('label'), {}),
    environment,
    cache: new LayerCache(join(environment.DAGGERBOARD_CACHE ?? join(homeOf(call), '.cache/daggerboard'), 'layers')),
    useCache: !flags.boolean('no-cache'),
    layout,
    scratch: join(homeOf(call), '.daggerboard', 'scratch'),
    signal,
    say: quiet ? () => {} : call.print,
  })
  for (const name of names) await layout.tag(fullName(name), descriptor)
  call.print(quiet ? descriptor.digest : `Successfully built ${descriptor.digest.slice(7, 19)}`)
  if (!quiet) for (const name of names) call.print(`Successfully tagged ${fullName(name)}`)
  return 0
}

async function push(call: Invocation): Promise<number> {
  const { endpoint, signal, print, flags } = call
  const name = fullName(call.positionals[0] ?? '')
  const { repository, tag: tagName } = ownReference(name)
  const layout = layoutOf(call)
  const descriptor = await findLocally(layout, name)
  const registry = new RegistryClient(endpoint)
  const say = flags.boolean('quiet') ? () => {} : print
  say(`The push refers to repository [${nameOf(ownReference(name))}]`)
  const bytes = await layout.read(descriptor)
  for (const blob of readManifest(bytes, descriptor.mediaType).blobs) {
    const wasSent = await registry.upload(repository, blob, layout.pathOf(blob.digest), signal)
    say(`${blob.digest.slice(7, 19)}: ${wasSent ? `Pushed (${blob.size} bytes)` : 'Layer already exists'}`)
  }
  const digest = await registry.pushManifest(repository, tagName, descriptor.mediaType, bytes, signal)
  print(`${tagName}: digest: ${digest} size: ${bytes.length}`)
  return 0
}

async function pull(call: Invocation): Promise<number> {
  const { endpoint, signal, print } = call
  const name = call.positionals[0] ?? ''
  const reference = ownReference(name)
  const registry = new RegistryClient(endpoint)
  const layout = layoutOf(call)
  const { bytes, mediaType } = await registry.manifest(reference.repository, reference.digest ?? reference.tag, signal)
  for (const blob of readManifest(bytes, mediaType).blobs) {
    const path = layout.pathOf(blob.digest)
    await mkdir(dirname(path), { recursive: true })
    if (!existsSync(path)) await registry.download(reference.repository, blob, path, signal)
  }
  const descriptor = await layout.addBlob(bytes, mediaType)
  await layout.tag(fullName(name), descriptor)
  print(`Digest: ${descriptor.digest}`)
  print(`Status: Downloaded newer image for ${fullName(name)}`)
  return 0
}

async function tag(call: Invocation): Promise<number> {
  const [from = '', to = ''] = call.positionals
  const layout = layoutOf(call)
  await layout.tag(fullName(to), await findLocally(layout, fullName(from)))
  return 0
}

async function images(call: Invocation): Promise<number> {
  const layout = layoutOf(call)
  const found = await layout.list()
  if (!call.flags.boolean('quiet')) call.print('REPOSITORY:TAG  IMAGE ID  SIZE')
  for (const { reference, descriptor } of found) {
    const id = descriptor.digest.slice(7, 19)
    const { size } = readManifest(await readFile(layout.pathOf(descriptor.digest)), descriptor.mediaType)
    call.print(call.flags.boolean('quiet') ? id : `${reference}  ${id}  ${size}`)
  }
  return 0
}

async function findLocally(layout: ImageLayout, name: string): Promise<Descriptor> {
  const found = await layout.find(name)
  if (found) return found
  const names = (await layout.list()).map(({ reference }) => reference)
  throw new AppError('not_found', `There is no image "${name}" in this build. Build it first, or pull it.${didYouMean(name, names)}`)
}

/** With the registry and the tag that docker would add. */
function fullName(name: string): string {
  const reference = readReference(name)
  return reference.digest ? `${nameOf(reference)}@${reference.digest}` : `${nameOf(reference)}:${reference.tag}`
}

const homeOf = ({ environment }: Invocation): string => environment.HOME ?? tmpdir()

const layoutOf = (call: Invocation): ImageLayout => new ImageLayout(join(homeOf(call), '.daggerboard', 'images'))

/** `NAME=VALUE`, or `NAME` alone for the one in the environment. */
function pairsOf(texts: readonly string[], environment: Readonly<Record<string, string | undefined>>): Map<string, string> {
  return new Map(
    texts.flatMap((text): [string, string][] => {
      const equals = text.indexOf('=')
      if (equals >= 0) return [[text.slice(0, equals), text.slice(equals + 1)]]
      const value = environment[text]
      return value === undefined ? [] : [[text, value]]
    }),
  )
}
