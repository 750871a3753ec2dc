import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const platform = join(root, 'packages/platform/src')

/** The capability rooms: each knows the core and nothing else. What joins them is a protocol or a port passed in by main.ts. */
const ROOMS = readdirSync(platform, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['core', 'adapters', 'http', 'cli', 'composition'].includes(entry.name))
  .map((entry) => entry.name)

/** Which rooms of the platform a room may import, beside its own files. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  ...Object.fromEntries(ROOMS.map((room) => [room, ['core']])),
  adapters: ['core', ...ROOMS],
  http: ['core', ...ROOMS],
  cli: ['core', 'settings.ts'],
  'settings.ts': ['settings'],
}

const MEND = 'Declare a port in that room and pass the implementation in from main.ts, or speak to the other room over its protocol.'

const sources = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? [] : sources(path)
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : []
  })

const importsOf = (path: string): string[] =>
  [
    ...readFileSync(path, 'utf8').matchAll(
      /(?:^|\n)\s*(?:import|export)[^'\n]*?(?:\n[^'\n]*?)*?from '([^']+)'|import\('([^']+)'\)|(?:^|\n)import '([^']+)'/g,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3]) as string)

/** The first part of a path inside the platform: a room, or a file at the top. */
const roomOf = (path: string): string => relative(platform, path).split('/')[0] as string

test('imports of the platform point inward: rooms know the core, adapters and doors know rooms, and only main.ts knows all', () => {
  const complaints = sources(platform)
    .filter((path) => !path.endsWith('.test.ts') && roomOf(path) in MAY_IMPORT)
    .flatMap((path) => {
      const room = roomOf(path)
      const allowed = MAY_IMPORT[room] as readonly string[]
      return importsOf(path)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => roomOf(resolve(dirname(path), specifier)))
        .filter((target) => target !== room && !allowed.includes(target))
        .map(
          (target) =>
            `${relative(root, path)} imports from ${target}, but ${room} may import only: ${allowed.join(', ') || 'nothing of ours'}. ${MEND}`,
        )
    })
  assert.deepEqual(complaints, [])
})

test('each adapter is a room of its own: no technology reaches into another', () => {
  const adapterOf = (path: string) => relative(join(platform, 'adapters'), path).split('/')[0] as string
  const complaints = sources(join(platform, 'adapters'))
    .filter((path) => !path.endsWith('.test.ts'))
    .flatMap((path) =>
      importsOf(path)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolve(dirname(path), specifier))
        .filter((target) => target.startsWith(join(platform, 'adapters')) && adapterOf(target) !== adapterOf(path))
        .map((target) => `${relative(root, path)} imports ${relative(platform, target)}. Move what both need to a room, or pass it in.`),
    )
  assert.deepEqual(complaints, [])
})

/** What the interface may read of the platform: the document that it shows, and the pure fold that makes canned ones. */
const WEB_MAY_READ = ['packages/platform/src/refreshes/', 'packages/platform/src/core/events.ts']

/** Which of our packages each package may import. What a model project installs must never pull in the server. */
const PACKAGES_MAY_IMPORT: Record<string, readonly string[]> = {
  dag: [],
  boost: [],
  mlflow: [],
  pipeline: [],
  google: ['@daggerboard/dag'],
  web: [],
  platform: ['@daggerboard/dag'],
}

const isInside = (name: string, target: string): boolean =>
  target.startsWith(`${join(root, 'packages', name)}/`) ||
  (name === 'web' && WEB_MAY_READ.some((place) => relative(root, target).startsWith(place)))

test('packages know only the packages they may know, and never reach into the folder of another', () => {
  const complaints = readdirSync(join(root, 'packages')).flatMap((name) => {
    const allowed = PACKAGES_MAY_IMPORT[name]
    if (!allowed) return [`packages/${name} is not listed in PACKAGES_MAY_IMPORT: say there what it may import.`]
    return sources(join(root, 'packages', name))
      .filter((path) => !/\.test\.tsx?$|\/test\//.test(path))
      .flatMap((path) =>
        importsOf(path)
          .filter((specifier) =>
            specifier.startsWith('.')
              ? !isInside(name, resolve(dirname(path), specifier))
              : specifier.startsWith('@daggerboard/') && !allowed.includes(specifier.split('/', 2).join('/')),
          )
          .map(
            (specifier) =>
              `${relative(root, path)} imports ${specifier}, but packages/${name} may import only: ${allowed.join(', ') || 'none of ours'}.`,
          ),
      )
  })
  assert.deepEqual(complaints, [])
})

test('rooms are named for what the product does, never for what the language has', () => {
  const forbidden = /^(utils?|helpers?|common|types|misc|shared|lib|interfaces)(\.tsx?)?$/
  const complaints = ['packages', 'examples', 'bench', 'conformance', 'scripts']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => sources(join(root, folder)))
    .map((path) => relative(root, path))
    .filter((path) => path.split('/').some((part) => forbidden.test(part)))
  assert.deepEqual(complaints, [])
})
