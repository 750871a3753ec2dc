/** Loading: the transform's output of one data interval. */
import { node, pipeline } from '@daggerboard/pipeline'
import { loadPrimary } from '../nodes/loading.ts'

export const loading = pipeline([
  node(loadPrimary, { name: 'load_primary', inputs: ['params:primary', 'params:environment'], outputs: ['primary', 'primary_source'] }),
])
