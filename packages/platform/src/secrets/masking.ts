/** Hides secrets: fields by their names, as Airflow does, and known values wherever they turn up in text. */

/** Words that make a name sensitive when they occur anywhere in it (Airflow's documented list). */
const SENSITIVE_WORDS = [
  'access_token',
  'api_key',
  'apikey',
  'authorization',
  'passphrase',
  'passwd',
  'password',
  'private_key',
  'secret',
  'token',
  'keyfile_dict',
  'service_account',
]

export const MASK = '***'

/** Shorter values would hide ordinary words. */
const SHORTEST_MASKED = 5

export function isSensitiveName(name: string): boolean {
  const normal = name.trim().toLowerCase().replaceAll(/\W+/g, '_')
  return SENSITIVE_WORDS.some((word) => normal.includes(word))
}

/** `value` with everything under a sensitive name replaced by `***`. */
export function maskFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskFields)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, isSensitiveName(name) ? MASK : maskFields(field)]))
}

/** Every text in `value` that stands under a sensitive name, at any depth. */
export function sensitiveTexts(value: unknown, name = ''): string[] {
  if (typeof value === 'string') return isSensitiveName(name) ? [value] : []
  if (Array.isArray(value)) return value.flatMap((item) => sensitiveTexts(item, name))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, field]) => sensitiveTexts(field, key))
}

/** How every token of this platform begins: its header is always the same. */
const TOKEN_HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
/** Tokens, plainly or inside of base64, are known by their shape: there are too many to remember each. */
const TOKENS = new RegExp(
  [`${TOKEN_HEADER}\\.[\\w-]+\\.[\\w-]+`, ...base64Forms(`${TOKEN_HEADER}.`).map((form) => `${RegExp.escape(form)}[\\w+/-]*=*`)].join('|'),
  'g',
)

/** Hides tokens of the platform, remembers secret values and replaces them in text, also where they are base64- or URL-encoded or quoted in JSON. */
export class Masker {
  #forms = new Set<string>()
  #pattern: RegExp | null = null

  add(secret: string | null | undefined): void {
    if (!secret) return
    for (const part of [secret, ...secret.split(/\r?\n/)]) {
      if (part.trim().length < SHORTEST_MASKED) continue
      for (const form of [part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1), ...base64Forms(part)]) this.#forms.add(form)
    }
    this.#pattern = null
  }

  mask(text: string): string {
    const withoutTokens = text.replaceAll(TOKENS, MASK)
    if (this.#forms.size === 0) return withoutTokens
    // The longest first, so that a secret that contains another one is hidden whole.
    this.#pattern ??= new RegExp(
      [...this.#forms]
        .sort((a, b) => b.length - a.length)
        .map((form) => RegExp.escape(form))
        .join('|'),
      'g',
    )
    return withoutTokens.replaceAll(this.#pattern, MASK)
  }
}

/** Base64 of `text` at its three possible alignments inside a longer string, without the characters that its neighbours decide. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
    const encoded = bytes.toString('base64').replaceAll('=', '')
    const inner = encoded.slice(offset === 0 ? 0 : offset + 1, bytes.length % 3 === 0 ? undefined : -1)
    return inner.length >= 8 ? [inner] : []
  })
}
