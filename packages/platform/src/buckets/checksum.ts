/** The two sums that Cloud Storage gives with every object: MD5 and CRC-32C, both in base64. */
import { createHash } from 'node:crypto'

export interface Checksums {
  readonly md5Hash: string
  readonly crc32c: string
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc >>> 0
})

/** Sums a stream as it passes. */
export class Checksum {
  #md5 = createHash('md5')
  #crc = 0xffffffff
  size = 0

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk)
    let crc = this.#crc
    // An index loop: this runs for every byte that is uploaded.
    for (let i = 0; i < chunk.length; i++) crc = (TABLE[(crc ^ (chunk[i] as number)) & 0xff] as number) ^ (crc >>> 8)
    this.#crc = crc
    this.size += chunk.length
  }

  /** Ends the sums; call it once. */
  digest(): Checksums {
    const crc = Buffer.alloc(4)
    crc.writeUInt32BE((this.#crc ^ 0xffffffff) >>> 0)
    return { md5Hash: this.#md5.digest('base64'), crc32c: crc.toString('base64') }
  }
}
