/** Serves the browser interface. The page itself is public and holds no data: what it shows it asks the other doors for, after a login. */
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { AppError } from '../core/app-error.ts'
import { createDoor, type Door } from './door.ts'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.map': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
}

const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

/** What begins like this belongs to a protocol: a wrong address there is an error, not a page. */
const PROTOCOLS = /^\/(api|v1|v2|bigquery|storage|upload|download|p|npm|services|auth|health|version|assets)(\/|$)/

const NOT_BUILT = 'The browser interface has not been built yet. Run `npm run build:web`, then load this page again.\n'

export interface WebDoorOptions {
  /** Where `npm run build:web` puts the page: packages/web/dist. */
  readonly folder: string
}

/** Mount it last: it answers every GET that nobody else has answered. */
export function webDoor({ folder }: WebDoorOptions): Door {
  const door = createDoor()
  door.get('*', async (c) => {
    const path = c.req.path
    const file = await read(folder, path)
    if (file) return new Response(file, { headers: headersOf(path) })
    if (PROTOCOLS.test(path)) throw new AppError('not_found', `Nothing answers GET ${path} here.`)
    const index = await read(folder, '/index.html')
    if (!index) return c.text(NOT_BUILT, 503, { 'Retry-After': '10' })
    return new Response(index, { headers: headersOf('/index.html') })
  })
  return door
}

/** Only names that are hashed by the build may be kept for ever; the index must be asked for each time. */
function headersOf(path: string): Record<string, string> {
  const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
  return { ...SECURITY_HEADERS, 'Content-Type': CONTENT_TYPES[extname(path)] ?? 'application/octet-stream', 'Cache-Control': cache }
}

async function read(folder: string, path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const name = decoded(path)
  if (name === null || !extname(name)) return null
  const file = normalize(join(folder, name))
  if (!file.startsWith(normalize(folder + sep))) return null
  try {
    return new Uint8Array(await readFile(file))
  } catch {
    return null
  }
}

/** The path without its percent signs; null for one that hides a NUL, a backslash or a dotted segment. */
function decoded(path: string): string | null {
  try {
    const name = decodeURIComponent(path)
    return /[\0\\]|(^|\/)\./.test(name) ? null : name
  } catch {
    return null
  }
}
