/** A small real model for the tests: sessions of more than a minute buy, and apple more often. */
import { train } from '@daggerboard/boost'
import { Predictor } from './predictor.ts'
import { RowReader, type TransformPipeline } from './row-reader.ts'

export const TRANSFORM_PIPELINE: TransformPipeline = {
  features: [
    'product_id',
    'brand',
    'price',
    'num_views_session',
    'num_views_product',
    'category',
    'sub_category',
    'hour',
    'minute',
    'weekday',
    'duration',
    'num_prev_sessions',
    'num_prev_product_views',
  ],
  unknown: 'unknown',
  encoders: [
    { column: 'category', classes: ['appliances', 'electronics', 'unknown'] },
    { column: 'sub_category', classes: ['smartphone', 'unknown'] },
    { column: 'brand', classes: ['apple', 'samsung', 'unknown'] },
  ],
}

export const ROW = {
  product_id: 1004856,
  brand: 'samsung',
  price: 130.76,
  num_views_session: 3,
  num_views_product: 3,
  category: 'electronics',
  sub_category: 'smartphone',
  hour: 0,
  minute: 2,
  weekday: 1,
  duration: 76,
  num_prev_sessions: 0,
  num_prev_product_views: 0,
}

export async function testingPredictor(): Promise<Predictor> {
  const rows = 400
  const columns = TRANSFORM_PIPELINE.features.map((name) =>
    Float64Array.from({ length: rows }, (_, row) => (name === 'duration' ? row : name === 'brand' ? row % 3 : 1)),
  )
  const label = Float64Array.from({ length: rows }, (_, row) => (row > 60 && (row % 3 === 0 || row % 5 > 0) ? 1 : 0))
  const booster = await train({ featureNames: TRANSFORM_PIPELINE.features, columns, label }, { num_iterations: 30, min_data_in_leaf: 5 })
  return new Predictor(booster, new RowReader(TRANSFORM_PIPELINE))
}
