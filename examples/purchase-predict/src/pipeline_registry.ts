/** The pipelines of this project, by the names that `pipeline run --pipeline` takes. */
import { combine, type PipelineRegistry } from '@daggerboard/pipeline'
import { deployment } from './pipelines/deployment.ts'
import { loading } from './pipelines/loading.ts'
import { processing } from './pipelines/processing.ts'
import { training } from './pipelines/training.ts'

const global = combine(loading, processing, training, deployment)

const pipelines: PipelineRegistry = { __default__: global, global, loading, processing, training, deployment }
export default pipelines
