import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../core/app-error.ts'
import { ManualClock, systemClock } from '../core/clock.ts'
import { principal } from '../core/principal.ts'
import { authentication } from './authentication.ts'
import { createDoor, streamReader } from './door.ts'
import { eventStream, MOST_STREAMS } from './event-stream.ts'

const read = async (response: Response): Promise<string> => {
  let text = ''
  for await (const piece of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) text += piece
  return text
}

test('who waits for room can send any number of messages to somebody who reads them', async () => {
  const text = await read(
    eventStream({ clock: systemClock, reader: 'user:a' }, async ({ send, room, end }) => {
      for (let line = 0; line < 20_000; line++) {
        await room()
        send('log', line)
      }
      end()
    }),
  )
  assert.equal(text.match(/event: log/g)?.length, 20_000)
})

test('nobody is sent on and on without reading: neither many messages nor a few that are huge', async () => {
  const huge = 'x'.repeat(1024 * 1024)
  for (const [message, most] of [
    ['x', 50_000],
    [huge, 20],
  ] as const) {
    let sent = 0
    const { body } = eventStream({ clock: systemClock, reader: 'user:b' }, ({ send, ended }) => {
      while (!ended.aborted && sent < 1_000_000) {
        send('log', message)
        sent++
      }
    })
    assert.ok(sent < most, `${sent} were sent`)
    await body?.cancel()
  }
})

test('who waits for room while nobody reads goes on when the stream ends', async () => {
  let sent = 0
  let isOver = () => {}
  const over = new Promise<void>((resolve) => (isOver = resolve))
  const { body } = eventStream({ clock: systemClock, reader: 'user:c' }, async ({ send, room, ended }) => {
    while (!ended.aborted) {
      await room()
      send('log', 'x'.repeat(1000))
      sent++
    }
    isOver()
  })
  await body?.cancel()
  await over
  assert.ok(sent < 1000, `${sent} were sent`)
})

test('one person has a bounded number of streams, which come back when they end', async () => {
  const open = (reader: string) => eventStream({ clock: systemClock, reader }, () => {})
  const streams = Array.from({ length: MOST_STREAMS }, () => open('user:d'))
  assert.throws(() => open('user:d'), { code: 'unavailable', message: /has 100 live streams open/ })
  await streams.pop()?.body?.cancel()
  streams.push(open('user:d'), open('user:e'))
  for (const { body } of streams) await body?.cancel()
  await open('user:d').body?.cancel()
})

test('the stream of somebody whose token is taken back ends with the next heartbeat', async () => {
  const clock = new ManualClock('2026-11-23T05:00:00Z')
  let isTakenBack = false
  const door = createDoor()
  const byToken = async () => {
    if (isTakenBack) throw new AppError('unauthenticated', 'This token was taken back.')
    return principal('user:f', ['dags.read'])
  }
  door.use(authentication({ byToken, byPassword: byToken }))
  door.get('/live', (c) => eventStream({ clock, ...streamReader(c, 'dags.read') }, ({ send }) => send('first', 1)))
  const response = await door.request('/live', { headers: { authorization: 'Bearer t' } })
  const pieces = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
  const next = async () => (await pieces.read()).value ?? 'the end'
  assert.match((await next()) + (await next()), /event: first/)
  clock.advance(15_000)
  assert.equal(await next(), ': still here\n\n')
  isTakenBack = true
  clock.advance(15_000)
  assert.equal(await next(), 'the end')
})
