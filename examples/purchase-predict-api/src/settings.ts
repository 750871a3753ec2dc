/** What the API is told by its environment. */

export interface Settings {
  readonly environment: 'staging' | 'production'
  /** The stage of the model registry that belongs to the environment. */
  readonly stage: 'Staging' | 'Production'
  readonly trackingUri: string
  readonly registryName: string
  /** The version that this revision serves; without it the newest of the stage at the start. */
  readonly modelVersion: string | undefined
  readonly port: number
  readonly bodyLimitBytes: number
}

const DEFAULT_PORT = 8080
const DEFAULT_BODY_LIMIT_BYTES = 8 * 1024 * 1024

/** Throws one error that names every variable that is missing or wrong. */
export function readSettings(variables: NodeJS.ProcessEnv): Settings {
  const problems: string[] = []
  const required = (name: string, meaning: string): string => {
    const value = variables[name]
    if (!value) problems.push(`${name} is not set. It is ${meaning}.`)
    return value ?? ''
  }
  const environment = required('ENV', 'staging or production')
  if (environment && environment !== 'staging' && environment !== 'production') {
    problems.push(`ENV is "${environment}"; it must be staging or production.`)
  }
  const trackingUri = required('MLFLOW_TRACKING_URI', 'the address of the MLflow server')
  const registryName = required('MLFLOW_REGISTRY_NAME', 'the name of the registered model, such as purchase_predict')
  const whole = (name: string, byDefault: number, highest: number): number => {
    const value = Number(variables[name] || byDefault)
    if (!(Number.isInteger(value) && value >= 0 && value <= highest))
      problems.push(`${name} is "${variables[name]}"; it must be a whole number up to ${highest}.`)
    return value
  }
  const port = whole('PORT', DEFAULT_PORT, 65_535)
  const bodyLimitBytes = whole('BODY_LIMIT_BYTES', DEFAULT_BODY_LIMIT_BYTES, 2 ** 30)
  if (problems.length > 0) throw new Error(`The API cannot start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`)
  return {
    environment: environment === 'production' ? 'production' : 'staging',
    stage: environment === 'production' ? 'Production' : 'Staging',
    trackingUri,
    registryName,
    modelVersion: variables.MODEL_VERSION || undefined,
    port,
    bodyLimitBytes,
  }
}
