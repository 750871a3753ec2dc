/** UUIDs in templates, as Python's `uuid` has them. */
import { createHash, randomUUID } from 'node:crypto'
import { AppError } from '../core/app-error.ts'

/** Prints with its dashes; `hex` has none. */
class TemplateUuid {
  readonly hex: string

  /** Throws `invalid` where `text` has not 32 hexadecimal digits. */
  constructor(text: unknown) {
    this.hex = String(text)
      .toLowerCase()
      .replace(/^urn:uuid:/, '')
      .replaceAll(/[-{}]/g, '')
    if (!/^[0-9a-f]{32}$/.test(this.hex))
      throw new AppError('invalid', `"${text}" is no UUID. Write one such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8.`)
  }

  get version(): number {
    return Number.parseInt(this.hex[12] ?? '', 16)
  }

  get urn(): string {
    return `urn:uuid:${this}`
  }

  toString(): string {
    return this.hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Of RFC 9562, appendix A. */
const namespace = (part: string) => new TemplateUuid(`6ba7b81${part}-9dad-11d1-80b4-00c04fd430c8`)

/** RFC 9562, section 5.5: the same for the same name. */
function uuid5(within: unknown, name: unknown): TemplateUuid {
  const { hex } = within instanceof TemplateUuid ? within : new TemplateUuid(within)
  const hash = createHash('sha1').update(Buffer.from(hex, 'hex')).update(String(name)).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  return new TemplateUuid(hash.toString('hex', 0, 16))
}

/** `macros.uuid`. */
export const UUIDS = {
  UUID: (text: unknown) => new TemplateUuid(text),
  uuid4: () => new TemplateUuid(randomUUID()),
  uuid5,
  NAMESPACE_DNS: namespace('0'),
  NAMESPACE_URL: namespace('1'),
  NAMESPACE_OID: namespace('2'),
  NAMESPACE_X500: namespace('4'),
}
