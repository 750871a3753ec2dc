import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameReader, frameOf } from './frame-reader.ts'

function reading(longest?: number) {
  const heard: unknown[] = []
  const reader = new FrameReader({
    onFrame: (messages) => {
      heard.push(...messages)
      return !messages.includes('nonsense')
    },
    onBroken: (why) => heard.push(`broken: ${why}`),
    ...(longest !== undefined && { longest }),
  })
  return { heard, reader, hear: (text: string) => reader.read(Buffer.from(text)) }
}

const FRAMES = [[{ type: 'log', text: 'Zürich → 🚲\n' }], [1, null], [], [{ text: 'x'.repeat(300) }]]

test('frames are heard whole and in their order, however they are cut on their way', () => {
  const bytes = Buffer.from(FRAMES.map(frameOf).join(''))
  for (let size = 1; size <= bytes.length; size = size < 20 ? size + 1 : size * 2) {
    const { reader, heard } = reading()
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
    assert.deepEqual(heard, FRAMES.flat(), `in pieces of ${size}`)
  }
})

test('what is no frame is told once, after all that came before it, and nothing is heard after it', () => {
  for (const rubbish of ['rubbish', 'rubbish\n', '\n', '{"type":"ready"}\n', '[1]]\n', '[\n', '[1]rub\n', '\u0000', '7\n']) {
    const { heard, hear } = reading()
    hear(`${frameOf([1])}${rubbish}`)
    hear(frameOf([2]))
    assert.deepEqual(heard, [1, 'broken: is no message'], JSON.stringify(rubbish))
  }
})

test('a frame of which the listener can make nothing is the last one', () => {
  const { heard, hear } = reading()
  hear('[1]\n["nonsense"]\n[2]\n')
  assert.deepEqual(heard, [1, 'nonsense', 'broken: is no message'])
})

test('rubbish in the middle of a frame is found at the end of that frame', () => {
  const { heard, hear } = reading()
  hear('[1')
  hear('rubbish')
  assert.deepEqual(heard, [])
  hear(']\n[2]\n')
  assert.deepEqual(heard, ['broken: is no message'])
})

test('a frame may be as long as is said and no longer, whether it comes at once or in pieces', () => {
  const longest = 100
  const frame = (length: number) => `["${'x'.repeat(length - 4)}"]`
  for (const size of [1, 7, 1000]) {
    const { reader, heard } = reading(longest)
    const bytes = Buffer.from(`${frame(100)}\n${frame(100)}\n${frame(101)}`)
    for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
    assert.deepEqual(heard, ['x'.repeat(96), 'x'.repeat(96), 'broken: is longer than 100 bytes'])
  }
})

test('who stops while a frame is heard hears no more', () => {
  const heard: unknown[] = []
  const reader: FrameReader = new FrameReader({
    onFrame: ([first]) => {
      heard.push(first)
      reader.stop()
      return true
    },
    onBroken: () => heard.push('broken'),
  })
  reader.read(Buffer.from('[1]\n[2]\nrubbish'))
  assert.deepEqual(heard, [1])
})
