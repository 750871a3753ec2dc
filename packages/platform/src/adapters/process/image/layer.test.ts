import assert from 'node:assert/strict'
import { createWriteStream } from 'node:fs'
import { access, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { changedFiles, listFiles, snapshot } from './files.ts'
import { dockerIgnore } from './glob.ts'
import { packLayer, unpackLayer } from './layer.ts'

let home: string

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'layer-'))
})

after(() => rm(home, { recursive: true }))

test('what a step has changed becomes a layer, and what it has deleted is gone behind it', async () => {
  const root = await mkdtemp(join(home, 'root-'))
  await writeFile(join(root, 'kept'), 'same')
  await writeFile(join(root, 'gone'), 'old')
  const before = snapshot(root)
  const base = join(home, 'base.tgz')
  await packLayer(listFiles(root), base)
  await rm(join(root, 'gone'))
  await writeFile(join(root, 'run.sh'), 'echo', { mode: 0o755 })
  await writeFile(join(root, 'empty'), '')
  await symlink('run.sh', join(root, 'alias'))
  const entries = changedFiles(root, before)
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['.wh.gone', 'alias', 'empty', 'run.sh'],
  )
  const change = join(home, 'change.tgz')
  const first = await packLayer(entries, change)
  assert.deepEqual(await packLayer(entries, change), first, 'the same files give the same bytes')
  const copy = join(home, 'copy')
  await unpackLayer(base, copy)
  await unpackLayer(change, copy)
  assert.equal(await readFile(join(copy, 'kept'), 'utf8'), 'same')
  await assert.rejects(access(join(copy, 'gone')))
  assert.equal(await readlink(join(copy, 'alias')), 'run.sh')
  assert.equal((await stat(join(copy, 'run.sh'))).mode & 0o111, 0o111)
})

test('a layer cannot write outside of its image, neither by its names nor through a link of its own', async () => {
  const layerOf = async (fill: (archive: ReturnType<typeof pack>) => void) => {
    const archive = pack()
    fill(archive)
    archive.finalize()
    const file = join(home, 'evil.tgz')
    await pipeline(archive as unknown as NodeJS.ReadableStream, createGzip(), createWriteStream(file))
    return file
  }
  const up = await layerOf((archive) => archive.entry({ name: '../outside' }, 'x'))
  await assert.rejects(unpackLayer(up, join(home, 'evil')), /leads out of the image/)
  const link = await layerOf((archive) => {
    archive.entry({ name: 'out', type: 'symlink', linkname: home })
    archive.entry({ name: 'out/outside' }, 'x')
  })
  await assert.rejects(unpackLayer(link, join(home, 'evil')), /leads out of the image/)
  await assert.rejects(access(join(home, 'outside')))
})

test('.dockerignore leaves out folders with all that is in them, but for what it takes back', () => {
  const ignores = dockerIgnore('# comment\nnode_modules\n**/*.log\nsecrets/*\n!secrets/public.pem\n/dist/\n')
  const left = ['node_modules/a/b.js', 'x.log', 'a/b/x.log', 'secrets/key', 'dist/app.js'].filter(ignores)
  assert.equal(left.length, 5)
  assert.deepEqual(['src/node_modules/a', 'secrets/public.pem', 'app.js'].filter(ignores), [])
})
