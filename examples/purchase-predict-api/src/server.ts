/** The HTTP server: three routes and nothing else. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { InvalidRows, type Predictor } from './predictor.ts'
import { parseBody, UnreadableBody } from './request-body.ts'

export interface ServedModel {
  readonly name: string
  readonly version: string
  readonly predictor: Predictor
}

export interface ApiServer {
  readonly server: Server
  /** Takes no new connections, answers what has begun, and resolves when all is done. From then on /health says 503. */
  drain(): Promise<void>
}

const REQUEST_TIMEOUT_MS = 30_000
const ROUTES: Readonly<Record<string, string>> = { '/': 'GET', '/health': 'GET', '/predict': 'POST' }

export function createApi(model: ServedModel, { bodyLimitBytes }: { bodyLimitBytes: number }): ApiServer {
  let isDraining = false
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: 65_000 }, (request, response) => {
    response.setHeader('X-Model-Version', model.version)
    // A kept connection would hold up the drain once its answer is out.
    response.once('finish', () => isDraining && setImmediate(() => server.closeIdleConnections()))
    handle(request, response).catch((error: unknown) => {
      console.error(error)
      if (!response.headersSent) answer(response, 500, { error: 'Internal error. The log of the service says more.' })
    })
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0] ?? '/'
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const allowed = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined
    if (allowed === undefined)
      return answer(response, 404, { error: `There is nothing at ${path}. There are GET /, GET /health and POST /predict.` })
    if (method !== allowed) {
      response.setHeader('Allow', allowed)
      return answer(response, 405, { error: `${path} takes ${allowed} only.` })
    }
    if (path === '/') return answerText(response, 200, 'text/plain; charset=utf-8', 'OK !')
    if (path === '/health') {
      const { name, version } = model
      return answer(response, isDraining ? 503 : 200, { status: isDraining ? 'draining' : 'ok', model: { name, version } })
    }
    const text = await readText(request, bodyLimitBytes)
    if (text === undefined) {
      response.setHeader('Connection', 'close')
      return answer(response, 413, { error: `The body is larger than ${bodyLimitBytes} bytes. Send fewer rows at a time.` })
    }
    answerPredictions(response, text)
  }

  function answerPredictions(response: ServerResponse, text: string): void {
    try {
      const body = parseBody(text)
      const predictions = model.predictor.predict(body)
      answer(response, 200, body.form === 'columns' ? predictions.map(({ prediction }) => prediction) : { predictions })
    } catch (error) {
      if (error instanceof UnreadableBody) answer(response, 400, { error: error.message, problems: [error.message] })
      else if (error instanceof InvalidRows) answer(response, 400, { error: error.message, problems: error.problems })
      else throw error
    }
  }

  return {
    server,
    drain: () =>
      new Promise((resolve) => {
        isDraining = true
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

/** Nothing when there are more than `limit` bytes. */
async function readText(request: IncomingMessage & Readable, limit: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const answer = (response: ServerResponse, status: number, body: unknown): void =>
  answerText(response, status, 'application/json', JSON.stringify(body))

function answerText(response: ServerResponse, status: number, contentType: string, text: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) }).end(text)
}
