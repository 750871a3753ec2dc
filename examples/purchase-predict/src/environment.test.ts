import assert from 'node:assert/strict'
import test from 'node:test'
import { environmentOf, stageOf } from './environment.ts'

test('the branch master is production, staging is staging, all else is development', () => {
  const of = (branch: string) => environmentOf({ name: '', branch })
  assert.deepEqual(['master', 'staging', 'try-deeper-trees', ''].map(of), ['production', 'staging', 'development', 'development'])
})

test('ENV wins over the branch, and a name that is no environment is refused', () => {
  assert.equal(environmentOf({ name: 'staging', branch: 'master' }), 'staging')
  assert.throws(() => environmentOf({ name: 'master', branch: '' }), /ENV is "master", which is no environment/)
})

test('a model of production gets the stage Production, one of development none', () => {
  assert.deepEqual([stageOf('production'), stageOf('staging'), stageOf('development')], ['Production', 'Staging', undefined])
})
