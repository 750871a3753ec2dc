/**
 * A client that does nothing but load: some connections, kept open, one request after the other on each. Its own process, so that it takes no
 * turn of what it measures, and bare sockets, so that it takes little of the cores that it shares. Its input is a `Load` as JSON, its
 * output the durations.
 */
import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Load } from './measure.ts'

const { url, method, headers, body, connections, warmupSeconds, seconds }: Load = JSON.parse(await text(process.stdin))
const { hostname, port, pathname, search, host } = new URL(url)
const lines = Object.entries({ Host: host, 'Content-Length': String(Buffer.byteLength(body)), ...headers }).map(
  ([name, value]) => `${name}: ${value}`,
)
const request = Buffer.from(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
const began = performance.now()
const [measured, ends] = [began + warmupSeconds * 1000, began + (warmupSeconds + seconds) * 1000]
const milliseconds: number[] = []
let failures = 0

const connect = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ host: hostname, port: Number(port), noDelay: true })
    let [received, sentAt] = ['', 0]
    const next = () => {
      sentAt = performance.now()
      if (sentAt < ends) socket.write(request)
      else socket.end(() => resolve())
    }
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      if (!isWhole(received)) return
      const now = performance.now()
      if (sentAt >= measured) milliseconds.push(now - sentAt)
      if (!/^HTTP\/1\.1 2/.test(received)) failures++
      received = ''
      next()
    })
    socket.once('connect', next)
    socket.once('error', reject)
    socket.once('close', () => (performance.now() < ends ? reject(new Error(`The connection was closed after: ${received}`)) : resolve()))
  })

function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, end + 2))?.[1]
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length >= end + 4 + Number(length)
}

await Promise.all(Array.from({ length: connections }, connect))
console.log(JSON.stringify({ milliseconds: milliseconds.map((each) => Math.round(each * 1000) / 1000), failures }))
