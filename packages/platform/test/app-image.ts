/** Pushes small images for tests and benches: one script that listens on PORT, started with Node. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packLayer } from '../src/adapters/process/image/layer.ts'
import { RegistryClient } from '../src/adapters/process/image/registry-client.ts'
import { Endpoint } from '../src/adapters/process/tools/endpoint.ts'
import { digestOf } from '../src/images/digest.ts'
import { IMAGE_MANIFEST } from '../src/images/manifest.ts'

export interface AppImage {
  readonly endpoint: string
  /** Must hold images.write. */
  readonly token: string
  /** `PROJECT/NAME` in the registry. */
  readonly repository: string
  readonly tag: string
  /** An ES module. */
  readonly source: string
}

/** Answers the digest of the image. */
export async function pushApp({ endpoint, token, repository, tag, source }: AppImage): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'app-image-'))
  try {
    const [script, file, settings] = [join(folder, 'app.mjs'), join(folder, 'layer.tgz'), join(folder, 'config.json')]
    await writeFile(script, source)
    const packed = await packLayer(
      [{ path: 'srv/app.mjs', type: 'file', mode: 0o644, size: Buffer.byteLength(source), source: script }],
      file,
    )
    const bytes = Buffer.from(
      JSON.stringify({
        config: { Cmd: ['node', 'app.mjs'], WorkingDir: '/srv', Env: ['GREETING=hello'] },
        rootfs: { diff_ids: [packed.diffId] },
      }),
    )
    await writeFile(settings, bytes)
    const registry = new RegistryClient(new Endpoint(endpoint, token))
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(bytes), size: bytes.length }
    const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: packed.digest, size: packed.size }
    await registry.upload(repository, config, settings)
    await registry.upload(repository, layer, file)
    const manifest = { schemaVersion: 2, mediaType: IMAGE_MANIFEST, config, layers: [layer] }
    return await registry.pushManifest(repository, tag, IMAGE_MANIFEST, Buffer.from(JSON.stringify(manifest)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
