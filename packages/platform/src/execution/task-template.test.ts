import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dag, type TaskDocument } from '@daggerboard/dag'
import type { TaskHost } from './task-context.ts'
import { dagFacts, type TaskFacts } from './task-facts.ts'
import { renderArgs } from './task-template.ts'

test('a task that begins has a start date, and one that goes on has that of its beginning', async () => {
  const { document } = dag('d', {}, ({ task }) => void task('t', async () => {}))
  const facts: Partial<TaskFacts> = {
    dagId: 'd',
    runId: 'r',
    taskId: 't',
    runType: 'manual',
    logicalDate: null,
    dataIntervalStart: '2026-11-22T00:00:00.000Z',
    dataIntervalEnd: '2026-11-23T00:00:00.000Z',
    conf: {},
    firstStartedAt: null,
    dag: dagFacts(document),
    task: document.tasks[0] as TaskDocument,
  }
  const host = { now: () => new Date('2026-11-23T10:00:00Z'), ask: async () => null } as unknown as TaskHost
  const rendered = (changed: Partial<TaskFacts>) =>
    renderArgs('{{ start_date | ts }} {{ ti.start_date | ts }}', { ...facts, ...changed } as TaskFacts, { host, input: {} })
  assert.equal(await rendered({}), '2026-11-23T10:00:00+00:00 2026-11-23T10:00:00+00:00')
  assert.equal(await rendered({ firstStartedAt: '2026-11-23T09:00:00.000Z' }), '2026-11-23T09:00:00+00:00 2026-11-23T09:00:00+00:00')
})
