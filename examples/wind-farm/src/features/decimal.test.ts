import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDecimal } from './decimal.ts'

const read = (text: string): number => readDecimal(Buffer.from(`;${text};`), 1, 1 + text.length)

test('a number is read as exactly as JavaScript itself reads it', () => {
  let state = 12345
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state / 2 ** 32
  }
  const texts = [
    '0',
    '-0',
    '1.',
    '.5',
    '-1.0',
    '11.270000000000001',
    '0.0099999998',
    '9007199254740993',
    '1e3',
    '+7',
    '123456789012345678901',
  ]
  for (let i = 0; i < 5000; i++) texts.push(String((random() - 0.5) * 10 ** Math.floor(random() * 30 - 15)))
  for (let i = 0; i < 5000; i++) texts.push((random() * 1e4).toFixed(Math.floor(random() * 20)))
  for (const text of texts) assert.ok(Object.is(read(text), Number(text)), `${text}: ${read(text)} is not ${Number(text)}`)
})

test('what is no number is none', () => {
  for (const text of ['', ' ', '-', '.', '1.2.3', '1,5', 'abc', '--1']) assert.ok(Number.isNaN(read(text)), text)
})
