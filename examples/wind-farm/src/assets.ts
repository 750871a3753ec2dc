/** What the wind farm's DAGs make and wait for. */
import { asset } from '@daggerboard/dag'

/** `extra.stamp` of each event is the name of the file that is new. */
export const FRESH_DATA = asset('wind_farm_data')
export const MODEL = asset('wind_farm_model')
export const PREDICTIONS = asset('wind_farm_predictions')
