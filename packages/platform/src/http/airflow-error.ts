/** How Airflow's REST API words an error. */
import { publicMessage } from '../core/app-error.ts'
import type { ErrorBody } from './door.ts'

export const airflowErrorBody: ErrorBody = (error) => ({ detail: publicMessage(error) })
