import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogLines } from './log-lines.ts'

function lines() {
  let text = ''
  const log = new LogLines({
    now: () => new Date(0),
    mask: (said) => said.replaceAll('topsecretvalue', '***'),
    onText: (more) => {
      text += more
    },
  })
  return { log, read: () => text.replaceAll('1970-01-01T00:00:00.000Z ', '') }
}

test('a secret in a line without end is hidden, wherever the line is cut', () => {
  for (let before = 65_500; before < 65_560; before += 7) {
    const { log, read } = lines()
    log.write(`${'a'.repeat(before)}topse`)
    log.write('cretvalue')
    for (let i = 0; i < 40; i++) {
      log.write(`${'b'.repeat(2_000)}topse`)
      log.write('cretvalue')
    }
    log.close()
    assert.doesNotMatch(read().replaceAll('\n', ''), /topse|cretvalue/)
    assert.equal(read().split('***').length - 1, 41)
  }
})

test('lines are whole, in their order, and each with its time', () => {
  const { log, read } = lines()
  for (const part of ['one\ntw', 'o\r\nthr', 'ee']) log.write(part)
  assert.equal(read(), 'one\ntwo\n')
  log.close()
  assert.equal(read(), 'one\ntwo\nthree\n')
})
