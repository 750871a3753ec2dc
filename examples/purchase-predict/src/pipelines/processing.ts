/** Processing: the split comes first, so that the encoders know the training rows only. */
import { node, pipeline } from '@daggerboard/pipeline'
import { encodeFeatures, fitEncoders } from '../nodes/encoders.ts'
import { splitRows } from '../nodes/splitting.ts'

export const processing = pipeline([
  node(splitRows, { name: 'split_dataset', inputs: ['primary', 'params:split'], outputs: ['training_rows', 'test_rows'] }),
  node(fitEncoders, { name: 'fit_encoders', inputs: 'training_rows', outputs: 'transform_pipeline' }),
  node(encodeFeatures, { name: 'encode_training', inputs: ['training_rows', 'transform_pipeline'], outputs: 'training_set' }),
  node(encodeFeatures, { name: 'encode_test', inputs: ['test_rows', 'transform_pipeline'], outputs: 'test_set' }),
])
