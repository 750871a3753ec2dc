/** Buckets and images: what is kept as files, behind Cloud Storage's and the image registry's protocols. */
import { BlobFiles } from '../adapters/filesystem/blob.ts'
import { ObjectFiles } from '../adapters/filesystem/object.ts'
import { SqliteBlobStore } from '../adapters/sqlite/blob.ts'
import { SqliteBucketStore } from '../adapters/sqlite/bucket.ts'
import { SqliteManifestStore } from '../adapters/sqlite/manifest.ts'
import { SqliteObjectStore } from '../adapters/sqlite/object.ts'
import { SqliteTagStore } from '../adapters/sqlite/tag.ts'
import { SqliteUploadStore } from '../adapters/sqlite/upload.ts'
import { Buckets } from '../buckets/bucket.ts'
import { Storage, type VirtualObjects } from '../buckets/storage.ts'
import { Uploads } from '../buckets/upload.ts'
import { ociDoor } from '../http/oci/oci-door.ts'
import { storageDoor } from '../http/storage/storage-door.ts'
import { Registry } from '../images/registry.ts'
import type { Ground, Part } from './part.ts'

/** `virtualObjects`: files that are read as objects before they are objects, such as the log of a build that runs. */
export function composeBuckets({ db, home, clock, settings }: Ground, virtualObjects: VirtualObjects): Part {
  const data = new ObjectFiles(home.folder('buckets'))
  const buckets = new Buckets({ store: new SqliteBucketStore(db), clock })
  const storage = new Storage({ buckets, store: new SqliteObjectStore(db), data, clock })
  const uploads = new Uploads({ storage, store: new SqliteUploadStore(db), data, clock })
  // What a crash left behind in the middle of a write.
  const sweep = async () => {
    await storage.sweep()
    await uploads.sweep()
  }
  const door = storageDoor({ project: settings.project, buckets, storage, uploads, virtualObjects })
  return { doors: [door], services: [{ start: sweep, stop: async () => {} }] }
}

export function composeImages({ db, home, clock, events }: Ground): Part {
  const data = new BlobFiles(home.folder('images'))
  const stores = { blobs: new SqliteBlobStore(db), manifests: new SqliteManifestStore(db), tags: new SqliteTagStore(db) }
  const registry = new Registry({ ...stores, data, events, clock })
  return { doors: [ociDoor({ registry })], services: [{ start: () => data.sweep(), stop: async () => {} }] }
}
