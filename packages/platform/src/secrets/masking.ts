/** Hides secrets: fields by their names, as Airflow does, and known values wherever they turn up in text. */
import { inspect } from 'node:util'
import { CONTENT_PATTERNS } from './content-patterns.ts'
import { guarded, MASK } from './redaction.ts'
import { isSensitiveName } from './sensitive-name.ts'

export { MASK, maskFields, maskText, merge, mergeText, REDACTION_FAILED, sensitiveTexts, sensitiveTextsIn } from './redaction.ts'
export { isSensitiveName, setSensitiveNames } from './sensitive-name.ts'

/** Shorter values would hide ordinary words. */
const SHORTEST_MASKED = 5
/** Values that are in nearly every log, as Airflow leaves them. */
const NEVER_MASKED: ReadonlySet<string> = new Set(['airflow'])
/** How deep known secrets are looked for in the fields of a value; names are looked at however deep they are. */
const DEEPEST_VALUE = 5

/** How every token of this platform begins: its header is always the same. */
const TOKEN_HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
/** Tokens, plainly or inside of base64, are known by their shape: there are too many to remember each. */
const TOKENS = new RegExp(
  [`${TOKEN_HEADER}\\.[\\w-]+\\.[\\w-]+`, ...base64Forms(`${TOKEN_HEADER}.`).map((form) => `${RegExp.escape(form)}[\\w+/-]*=*`)].join('|'),
  'g',
)

const CONTENT = new RegExp(
  Object.values(CONTENT_PATTERNS)
    .map(({ source }) => source)
    .join('|'),
  'g',
)

export interface MaskerOptions {
  /** Whether what only looks like a secret (AWS, GitHub, Slack, Google and Stripe keys, private keys, JSON web tokens) is hidden too. Default false. */
  readonly contentPatterns?: boolean
}

/** Hides tokens of the platform, remembers secret values and replaces them in text, also where they are base64- or URL-encoded or quoted in JSON. */
export class Masker {
  readonly #seesContent: boolean
  #forms = new Set<string>()
  #pattern: RegExp | null = null

  constructor({ contentPatterns = false }: MaskerOptions = {}) {
    this.#seesContent = contentPatterns
  }

  /** Values shorter than 5 characters, and the word `airflow`, stay: they would hide ordinary text. */
  add(secret: string | null | undefined): void {
    if (!secret) return
    const before = this.#forms.size
    for (const part of [secret, ...secret.split(/\r?\n/)]) {
      if (part.trim().length < SHORTEST_MASKED || NEVER_MASKED.has(part.trim().toLowerCase())) continue
      for (const form of [part, ...quotedForms(part), ...urlForms(part), ...base64Forms(part)]) this.#forms.add(form)
    }
    if (this.#forms.size > before) this.#pattern = null
  }

  /** Shows nothing of a text that cannot be looked through. */
  mask(text: string): string {
    return guarded(() => this.#masked(text))
  }

  /**
   * `value` as it may be shown: fields under sensitive names hidden at any depth, known secrets in its texts and keys to a depth of 5.
   * `name` is the name that `value` itself has.
   */
  redact(value: unknown, name = ''): unknown {
    return guarded(() => this.#redacted(value, isSensitiveName(name), 0))
  }

  #redacted(value: unknown, isHidden: boolean, depth: number): unknown {
    const text = (raw: string) => (depth > DEEPEST_VALUE ? raw : this.#masked(raw))
    if (typeof value === 'string') return isHidden && value !== '' ? MASK : text(value)
    if (typeof value === 'number' || typeof value === 'bigint') return isHidden ? MASK : value
    if (Array.isArray(value)) return value.map((item) => this.#redacted(item, isHidden, depth + 1))
    if (typeof value !== 'object' || value === null) return value
    const fields = Object.entries(value).map(([key, field]) => {
      const isFieldHidden = isHidden || isSensitiveName(key)
      return [text(key), this.#redacted(field, isFieldHidden, depth + 1)] as const
    })
    return Object.fromEntries(fields)
  }

  #masked(text: string): string {
    const withoutTokens = text.replaceAll(TOKENS, MASK)
    const withoutContent = this.#seesContent ? withoutTokens.replaceAll(CONTENT, MASK) : withoutTokens
    if (this.#forms.size === 0) return withoutContent
    // The longest first, so that a secret that contains another one is hidden whole.
    this.#pattern ??= new RegExp(
      [...this.#forms]
        .sort((a, b) => b.length - a.length)
        .map((form) => RegExp.escape(form))
        .join('|'),
      'g',
    )
    return withoutContent.replaceAll(this.#pattern, MASK)
  }
}

/** As JSON has it, JSON within JSON, and the console when it shows an object. */
function quotedForms(text: string): string[] {
  const json = quoted(text)
  return [json, quoted(json), inspect(text, { breakLength: Infinity }).slice(1, -1)]
}

const quoted = (text: string): string => JSON.stringify(text).slice(1, -1)

/** As a part of a URL, as a whole one, as a field of a form, and as the password that `URL` writes. Signs in hexadecimal may be small. */
function urlForms(text: string): string[] {
  // A lone surrogate has no encoding, and no URL can hold it.
  const given = text.toWellFormed()
  const part = encodeURIComponent(given)
  const url = new URL('http://host')
  url.password = given
  const forms = [part, strictly(part), encodeURI(given), new URLSearchParams({ '': given }).toString().slice(1), url.password]
  return forms.flatMap((form) => [form, form.replaceAll(/%[0-9A-F]{2}/g, (sign) => sign.toLowerCase())])
}

/** Other languages encode these signs too. */
const strictly = (text: string): string => text.replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

/** Base64 of `text` at its three possible alignments inside a longer string, without the characters that its neighbours decide. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
    const encoded = bytes.toString('base64').replaceAll('=', '')
    const inner = encoded.slice(offset === 0 ? 0 : offset + 1, bytes.length % 3 === 0 ? undefined : -1)
    return inner.length >= 8 ? [inner, inner.replaceAll('+', '-').replaceAll('/', '_')] : []
  })
}
