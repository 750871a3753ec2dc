/** The whole platform inside the test's own process, for the tests that knock at its doors as nobody should. */

import { mkdtempSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Platform, startPlatform } from '../../packages/platform/src/composition/platform.ts'
import { silentLogger } from '../../packages/platform/src/core/logger.ts'
import { type Permission, principal } from '../../packages/platform/src/core/principal.ts'
import { readSettings } from '../../packages/platform/src/settings.ts'

export interface Answer {
  readonly status: number
  readonly text: string
}

export interface Knock {
  readonly method?: string
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Of answers that may never end, so much is read. */
const READ_BYTES = 4096

export class WholePlatform {
  /** Holds the home and nothing else: whatever else turns up here was written by somebody who got out. */
  readonly folder = mkdtempSync(join(tmpdir(), 'daggerboard-security-'))
  #platform: Platform | null = null

  get home(): string {
    return join(this.folder, 'home')
  }

  get endpoint(): string {
    return this.platform.endpoint
  }

  get platform(): Platform {
    if (!this.#platform) throw new Error('The platform has not been started.')
    return this.#platform
  }

  async start(): Promise<void> {
    const dags = join(this.home, 'dags')
    await mkdir(dags, { recursive: true })
    const settings = readSettings({
      DAGGERBOARD_HOME: this.home,
      DAGGERBOARD_PORT: '0',
      DAGGERBOARD_ADMIN_PASSWORD: 'only-for-this-test',
      DAGGERBOARD_LOAD_EXAMPLES: 'false',
      DAGGERBOARD_DAGS_FOLDER: dags,
    })
    this.#platform = await startPlatform({ settings, logger: silentLogger })
  }

  async stop(): Promise<void> {
    await this.#platform?.stop()
    this.#platform = null
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.folder, { recursive: true, force: true })
  }

  token(permissions: readonly Permission[], subject = 'user:admin'): Promise<string> {
    return this.platform.tokens.issue(principal(subject, permissions), 600)
  }

  /** Sends `path` byte by byte as it is: no client tidies its dots away. */
  knock(path: string, { method = 'GET', token = null, headers = {}, body }: Knock = {}): Promise<Answer> {
    const { port } = new URL(this.endpoint)
    return new Promise((resolve, reject) => {
      const outgoing = request({
        ...{ host: '127.0.0.1', port, path, method, agent: false },
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
          ...headers,
        },
      })
      outgoing.once('error', reject)
      outgoing.once('response', (incoming) => {
        let text = ''
        const done = () => {
          outgoing.removeListener('error', reject)
          outgoing.on('error', () => {})
          resolve({ status: incoming.statusCode ?? 0, text })
        }
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
          if (text.length < READ_BYTES && !incoming.headers['content-type']?.startsWith('text/event-stream')) return
          done()
          outgoing.destroy()
        })
        incoming.once('end', done)
        incoming.once('error', done)
      })
      outgoing.end(body)
    })
  }
}
