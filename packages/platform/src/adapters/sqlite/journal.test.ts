import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Journal } from './journal.ts'

for (const { title, before } of [
  { title: 'that a platform left which ended while it made the file', before: () => Buffer.alloc(0) },
  { title: 'of another size', before: () => Buffer.alloc(10_000) },
])
  test(`entries are found again in a journal ${title}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'daggerboard-journal-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'turns.journal')
    writeFileSync(path, before())
    const journal = new Journal(path, 4_096)
    t.after(() => journal.close())
    journal.open(0)
    journal.rewind()
    // In both halves.
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(900))
    for (const text of texts) await journal.append(text)
    const later = new Journal(path, 4_096)
    t.after(() => later.close())
    assert.deepEqual(
      later.open(0).map(({ text }) => text),
      texts,
    )
  })

test('entries of the first version, whose journal was one, are found also over the middle', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'daggerboard-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'turns.journal')
  const twice = new Journal(path, 8_192)
  t.after(() => twice.close())
  twice.open(0)
  twice.rewind()
  const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(900))
  for (const text of texts) await twice.append(text)
  truncateSync(path, 4_096)
  const later = new Journal(path, 4_096)
  t.after(() => later.close())
  assert.deepEqual(
    later.open(0).map(({ text }) => text),
    texts,
  )
})
