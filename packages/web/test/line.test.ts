import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cannedRefreshes } from '../src/canned/canned-platform.ts'
import { readFailure } from '../src/line/failure.ts'
import { sentenceOf, stillServing } from '../src/line/outcome.ts'
import { stationsOf } from '../src/line/stations.ts'
import { servingOf } from '../src/serving/serving.ts'

const newest = (name: string) => {
  const [refresh] = cannedRefreshes(name)
  assert.ok(refresh)
  return refresh
}

/** The newest refresh of a told story, but stopped by the first step of its build. */
function stoppedBuild(said: string) {
  const refresh = newest('failed')
  const detail = `Build step failure: build step 1 "node:24-slim" failed: step exited with non-zero status: 1${said}`
  const stages = refresh.stages.map((stage) => (stage.kind === 'build' && !stage.nested ? { ...stage, detail } : stage))
  return { ...refresh, stages, reason: detail }
}

test('a build that failed is told by the name of its step and by what the step said', () => {
  const refresh = stoppedBuild(': a week has seven days: 8 !== 7')
  const station = stationsOf(refresh).find(({ key }) => key === 'build')
  assert.deepEqual(readFailure(refresh, station), {
    heading: 'Build stopped at its step \u201ctest\u201d.',
    sentence: 'It ended with exit status 1 and said:',
    quote: 'a week has seven days: 8 !== 7',
  })
})

test('a step that said nothing is named all the same', () => {
  const refresh = stoppedBuild('')
  const station = stationsOf(refresh).find(({ key }) => key === 'build')
  assert.match(
    readFailure(refresh, station)?.sentence ?? '',
    /Step \u201ctest\u201d of purchase_predict ended with exit status 1\. Its log says why\./,
  )
})

test('a model that was held back is told in the words of its gate', () => {
  const refresh = stoppedBuild(': Node "check_gate": its auc 0.61 is below the gate of 0.75.')
  const station = stationsOf(refresh).find(({ key }) => key === 'model')
  assert.deepEqual(readFailure(refresh, station), {
    heading: 'Model v11 was held back.',
    sentence: 'its auc 0.61 is below the gate of 0.75.',
    quote: null,
  })
})

test('the last lines of a log are quoted without the depths of the stack', () => {
  const reason =
    'Revision "api-2" is not ready. The last lines of its log:\nError: CACHE is not set\n    at main.ts:1:7\n\nNode.js v24.21.0'
  const refresh = { ...newest('failed'), reason }
  const { sentence, quote } = readFailure(refresh, undefined) ?? {}
  assert.equal(sentence, 'Revision "api-2" is not ready. The last lines of its log:')
  assert.equal(quote, 'Error: CACHE is not set')
})

test('a failure says what serves all the same', () => {
  const refreshes = cannedRefreshes('failed')
  const words = stillServing(newest('failed'), servingOf(refreshes), () => 'purchase_predict v9')
  assert.match(words, /^Users notice nothing: staging answers from purchase_predict v9, revision purchase-predict-api-staging-00009\.$/)
})

test('what serves is of each service the revision that gets its traffic, staging first', () => {
  assert.deepEqual(
    servingOf(cannedRefreshes('success')).map(({ environment, revision, percent }) => [environment, revision, percent]),
    [
      ['staging', 'purchase-predict-api-staging-00011', 100],
      ['production', 'purchase-predict-api-production-00010', 100],
    ],
  )
})

test('a refresh is told in one sentence while it runs and when it is over', () => {
  assert.match(sentenceOf(newest('running')), /^Search: \d+ of 40 trials, best AUC 0\.\d{4}\.$/)
  assert.match(
    sentenceOf(newest('success')),
    /^Model v11 \(AUC 0\.7653\), learnt from 1,242,806 events, answers the requests in staging\.$/,
  )
  assert.equal(sentenceOf(newest('broken')), 'It stopped at Transform.')
})
