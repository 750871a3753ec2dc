/** How Airflow's REST API words an error. */
import { AppError, errorCode, publicMessage } from '../core/app-error.ts'
import type { DoorOptions, ErrorBody } from './door.ts'

/** One thing that is wrong with a request, and where: `['body', 'conf']`, `['query', 'limit']`. */
export interface RequestProblem {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/** What is sent does not fit; answered with 422 and the list of problems, as Airflow's clients expect it. */
export const badRequest = (message: string, fields: readonly RequestProblem[]): AppError =>
  new AppError('invalid', message, { problems: fields.map(({ loc, msg }) => `${loc.slice(1).join('.') || loc[0]}: ${msg}`), fields })

const fieldsOf = (error: unknown): readonly RequestProblem[] | null =>
  error instanceof AppError && Array.isArray(error.facts.fields) ? (error.facts.fields as RequestProblem[]) : null

const airflowErrorBody: ErrorBody = (error) => ({ detail: fieldsOf(error) ?? publicMessage(error) })

/** For `createDoor` of every door of this API. */
export const airflowErrors: Pick<DoorOptions, 'errorBody' | 'statusOf'> = {
  errorBody: airflowErrorBody,
  statusOf: (error) => (errorCode(error) === 'invalid' && fieldsOf(error) ? 422 : null),
}
