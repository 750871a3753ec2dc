import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TRIGGER_RULES, type TriggerRule } from '@daggerboard/dag'
import type { TaskInstanceState } from './task-instance.ts'
import { addState, noCounts, setupVerdict, teardownVerdict, type Verdict, verdict } from './trigger-rule.ts'

const STATES: readonly TaskInstanceState[] = ['none', 'running', 'success', 'failed', 'upstream_failed', 'skipped', 'up_for_retry']

/** Every row of the table as it is written down: when it runs, and the early outcomes in their order. */
const TABLE: Record<TriggerRule, { runs: (s: Sight) => boolean; early?: (s: Sight) => Verdict | false }> = {
  all_success: {
    runs: (s) => s.every('success'),
    early: (s) => (s.any('failed', 'upstream_failed') && 'upstream_failed') || (s.any('skipped') && 'skipped'),
  },
  all_failed: { runs: (s) => s.every('failed', 'upstream_failed'), early: (s) => s.any('success', 'skipped') && 'skipped' },
  all_done: { runs: (s) => s.allDone },
  all_done_min_one_success: {
    runs: (s) => s.allDone && s.any('success') && !s.any('skipped'),
    early: (s) => (s.any('skipped') && 'skipped') || (s.allDone && !s.any('success') && 'upstream_failed'),
  },
  all_skipped: { runs: (s) => s.every('skipped'), early: (s) => s.any('success', 'failed', 'upstream_failed') && 'skipped' },
  one_success: {
    runs: (s) => s.any('success'),
    early: (s) => (s.every('skipped') && 'skipped') || (s.allDone && !s.any('success') && 'upstream_failed'),
  },
  one_failed: {
    runs: (s) => s.any('failed', 'upstream_failed'),
    early: (s) => s.allDone && !s.any('failed', 'upstream_failed') && 'skipped',
  },
  one_done: { runs: (s) => s.any('success', 'failed'), early: (s) => s.allDone && !s.any('success', 'failed') && 'skipped' },
  none_failed: {
    runs: (s) => s.allDone && !s.any('failed', 'upstream_failed'),
    early: (s) => s.any('failed', 'upstream_failed') && 'upstream_failed',
  },
  none_failed_min_one_success: {
    runs: (s) => s.allDone && !s.any('failed', 'upstream_failed') && s.any('success'),
    early: (s) => (s.any('failed', 'upstream_failed') && 'upstream_failed') || (s.every('skipped') && 'skipped'),
  },
  none_skipped: { runs: (s) => s.allDone && !s.any('skipped'), early: (s) => s.any('skipped') && 'skipped' },
  always: { runs: () => true },
}

class Sight {
  readonly states: readonly TaskInstanceState[]

  constructor(states: readonly TaskInstanceState[]) {
    this.states = states
  }

  any = (...these: TaskInstanceState[]) => this.states.some((state) => these.includes(state))
  every = (...these: TaskInstanceState[]) => this.states.every((state) => these.includes(state))

  get allDone() {
    return this.every('success', 'failed', 'upstream_failed', 'skipped')
  }
}

const combinations = (length: number): TaskInstanceState[][] =>
  length === 0 ? [[]] : combinations(length - 1).flatMap((head) => STATES.map((state) => [...head, state]))

test('each rule decides as its row of the table says, for all states of up to four tasks before', () => {
  for (const rule of TRIGGER_RULES) {
    for (const length of [1, 2, 3, 4]) {
      for (const states of combinations(length)) {
        const sight = new Sight(states)
        const row = TABLE[rule]
        const expected = row.runs(sight) ? 'run' : row.early?.(sight) || 'wait'
        assert.equal(verdict(rule, states), expected, `${rule} after ${states.join(', ')}`)
      }
    }
  }
})

test('no rule leaves a task waiting once all before it are done', () => {
  const done: TaskInstanceState[] = ['success', 'failed', 'upstream_failed', 'skipped']
  for (const rule of TRIGGER_RULES) for (const a of done) for (const b of done) assert.notEqual(verdict(rule, [a, b]), 'wait')
})

test('a task with none before it runs under every rule', () => {
  for (const rule of TRIGGER_RULES) assert.equal(verdict(rule, []), 'run')
})

const counted = (states: readonly TaskInstanceState[]) => {
  const counts = noCounts()
  for (const state of states) addState(counts, state, 1)
  return counts
}

test('a teardown runs when all before it are done and one of its setups succeeded, for all states of up to three of each', () => {
  for (const setups of [0, 1, 2, 3].flatMap(combinations)) {
    for (const others of [0, 1].flatMap(combinations)) {
      const sight = new Sight(setups)
      const all = [...setups, ...others]
      const ended: Verdict = setups.length === 0 || sight.any('success') ? 'run' : sight.every('skipped') ? 'skipped' : 'upstream_failed'
      const expected = new Sight(all).allDone ? ended : 'wait'
      assert.equal(teardownVerdict(counted(all), counted(setups)), expected, `setups ${setups.join(', ')}; others ${others.join(', ')}`)
    }
  }
})

test('a task in the scope of setups needs every one of them', () => {
  for (const setups of [1, 2, 3].flatMap(combinations)) {
    const sight = new Sight(setups)
    const expected = sight.any('failed', 'upstream_failed')
      ? 'upstream_failed'
      : sight.any('skipped')
        ? 'skipped'
        : sight.every('success')
          ? 'run'
          : 'wait'
    assert.equal(setupVerdict(counted(setups)), expected, setups.join(', '))
  }
})

test('instances that are no longer there do not count: what needs all of them needs the others, and one too many is not needed itself', () => {
  for (const rule of TRIGGER_RULES) {
    // It needs a success: without one, only tasks that were all skipped skip it.
    if (rule === 'one_success') continue
    for (const states of [1, 2, 3].flatMap(combinations)) {
      assert.equal(verdict(rule, [...states, 'removed']), verdict(rule, states), `${rule} after ${states.join(', ')} and removed`)
    }
  }
  assert.equal(verdict('one_success', ['skipped', 'removed']), 'upstream_failed')
  assert.equal(verdict('all_success', ['success', 'removed'], 0), 'run')
  assert.equal(verdict('all_success', ['success', 'removed'], 1), 'removed')
  assert.equal(verdict('all_success', ['success', 'failed', 'removed'], 2), 'upstream_failed')
})
