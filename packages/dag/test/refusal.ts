/** For tests of what is refused. */
import assert from 'node:assert/strict'
import { DagDefinitionError } from '../src/index.ts'

/** What `write` is refused with. */
export function refusal(write: () => unknown): string {
  try {
    write()
  } catch (error) {
    assert.ok(error instanceof DagDefinitionError, String(error))
    return error.message
  }
  throw new Error('It was not refused.')
}
