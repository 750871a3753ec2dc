import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { choice, InvalidInput, integer, misfits, type Sampled, search, uniform } from './index.ts'

const SPACE = {
  rate: uniform(0.001, 1, { log: true }),
  share: uniform(0.3, 1),
  leaves: integer(8, 128, { step: 10 }),
  depth: choice([6, 12]),
  alpha: choice([0, 0.1, 1, 2, 5, 10]),
}
type Params = Sampled<typeof SPACE>

/** 0 at rate 0.05, share 0.7, 58 leaves, depth 12, alpha 0.1. */
const distance = ({ rate, share, leaves, depth, alpha }: Params): number =>
  Math.log10(rate / 0.05) ** 2 + 3 * (share - 0.7) ** 2 + ((leaves - 58) / 60) ** 2 + (depth === 12 ? 0 : 0.3) + Math.abs(alpha - 0.1) / 10

const paramsOf = (trials: readonly { params: Params }[]) => trials.map(({ params }) => params)

describe('hyper-parameter search', () => {
  it('comes nearer to the optimum than chance with the same number of trials', async () => {
    const mean = async (sampler: 'tpe' | 'random') => {
      let sum = 0
      for (let seed = 0; seed < 10; seed++) {
        sum += (await search(SPACE, distance, { maxEvals: 60, seed, direction: 'minimize', sampler })).best.value
      }
      return sum / 10
    }
    const [tpe, random] = [await mean('tpe'), await mean('random')]
    assert.ok(tpe < random / 2, `TPE ${tpe}, random ${random}`)
  })

  it('makes the same trials for the same seed, and others for another', async () => {
    const trials = async (seed: number) => paramsOf((await search(SPACE, distance, { maxEvals: 25, seed, direction: 'minimize' })).trials)
    assert.deepEqual(await trials(1), await trials(1))
    assert.notDeepEqual(await trials(1), await trials(2))
  })

  it('answers with values of the space, never with places in a list', async () => {
    const { trials } = await search(SPACE, distance, { maxEvals: 80, seed: 3, direction: 'minimize' })
    for (const { params } of trials) {
      assert.deepEqual(misfits(SPACE, params), [])
      assert.equal((params.leaves - 8) % 10, 0)
      assert.ok([6, 12].includes(params.depth))
      assert.ok([0, 0.1, 1, 2, 5, 10].includes(params.alpha))
    }
  })

  it('can maximise', async () => {
    const run = (sign: number, direction: 'minimize' | 'maximize') =>
      search(SPACE, (params) => sign * distance(params), { maxEvals: 30, seed: 5, direction })
    assert.deepEqual((await run(-1, 'maximize')).best.params, (await run(1, 'minimize')).best.params)
  })

  it('tries enqueued parameters first and draws what they leave out', async () => {
    const enqueue = [{ rate: 0.05, share: 0.7, leaves: 58, depth: 12, alpha: 0.1 }, { alpha: 10 }] satisfies Partial<Params>[]
    const { best, trials } = await search(SPACE, distance, { maxEvals: 15, seed: 1, direction: 'minimize', enqueue })
    assert.deepEqual(trials[0]?.params, enqueue[0])
    assert.equal(trials[1]?.params.alpha, 10)
    assert.deepEqual(misfits(SPACE, trials[1]?.params ?? {}), [])
    assert.deepEqual(
      trials.slice(0, 3).map(({ origin }) => origin),
      ['enqueued', 'enqueued', 'random'],
    )
    assert.equal(best.number, 0)
    assert.equal(best.value, 0)
  })

  it('never calls a trial without a value the best', async () => {
    const { best } = await search(SPACE, (_, { number }) => (number % 2 === 0 ? Number.NaN : number), {
      maxEvals: 20,
      seed: 1,
      direction: 'minimize',
    })
    assert.equal(best.value, 1)
    await assert.rejects(
      search(SPACE, () => Number.NaN, { maxEvals: 3, seed: 1, direction: 'minimize' }),
      /NaN to all/,
    )
  })

  it('tells of each trial, and ends when it is cancelled', async () => {
    const cancel = new AbortController()
    const told: number[] = []
    const onTrial = ({ number }: { number: number }) => {
      told.push(number)
      if (number === 2) cancel.abort(new Error('enough'))
    }
    await assert.rejects(
      search(SPACE, distance, { maxEvals: 10, seed: 1, direction: 'minimize', onTrial, signal: cancel.signal }),
      /enough/,
    )
    assert.deepEqual(told, [0, 1, 2])
  })

  it('holds options of any type, objects too', async () => {
    const space = { shape: choice([{ leaves: 8 }, { leaves: 64 }]), name: choice(['a', null, true]) }
    const { trials } = await search(space, ({ shape }) => shape.leaves, {
      maxEvals: 30,
      seed: 1,
      direction: 'minimize',
      enqueue: [{ shape: { leaves: 64 }, name: null }],
    })
    assert.deepEqual(trials[0]?.params, { shape: { leaves: 64 }, name: null })
    assert.ok(trials.every(({ params }) => space.name.options.includes(params.name)))
  })

  it('names everything wrong with the space and the options at once', async () => {
    const space = { rate: uniform(0, 1, { log: true }), leaves: integer(10, 5), depth: choice([]) }
    const enqueue = [{ rates: 1 } as object]
    await assert.rejects(
      search(space, () => 0, { maxEvals: 0, seed: 1, direction: 'minimize', enqueue }),
      (error) => {
        assert.ok(error instanceof InvalidInput)
        assert.equal(error.problems.length, 5)
        assert.ok(error.problems.some((problem) => problem.includes('enqueue[0]') && problem.includes('Did you mean "rate"?')))
        return true
      },
    )
  })

  it('says which parameters of an earlier search no longer fit', () => {
    assert.deepEqual(misfits(SPACE, { leaves: 200, alpha: 0.1 }), ['"leaves" is 200, which is not between 8 and 128.'])
  })
})
