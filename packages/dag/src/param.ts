/** Parameters of a DAG: values that a run may be triggered with, and what they have to be. */

const PARAM = Symbol.for('daggerboard.param')

const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']

/** JSON Schema (draft 2020-12) with the default value of the parameter. Without a default a run has to be given one. */
export interface ParamSchema<Value = unknown> {
  readonly default?: Value
  /** `string`, `number`, `integer`, `boolean`, `object`, `array`, `null`, or several of them. */
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  /** Shown in the form. */
  readonly title?: string
  readonly description?: string
  readonly [keyword: string]: unknown
}

export interface Param {
  readonly [PARAM]: ParamSchema
}

/** Default values, or `param({ default, type, … })` where a value has to fit. */
export type Params = Readonly<Record<string, unknown>>

/**
 * A parameter that has to fit a JSON Schema; the form of the pages is made of it.
 *
 * @example
 * params: { rows: param({ default: 100, type: 'integer', minimum: 1 }), region: param({ type: 'string', enum: ['eu', 'us'] }) }
 */
export const param = <Value>(schema: ParamSchema<Value>): Param => ({ [PARAM]: schema })

const isParam = (value: unknown): value is Param => typeof value === 'object' && value !== null && PARAM in value

/** Values and schemas by name. What is wrong with their shape goes to `problems`; whether values fit is the platform's to say. */
export function paramDocuments(
  given: Params,
  about: string,
  problems: string[],
): {
  readonly values: Record<string, unknown>
  readonly schemas: Record<string, Readonly<Record<string, unknown>>>
  readonly required: readonly string[]
} {
  const values: [string, unknown][] = []
  const schemas: [string, Readonly<Record<string, unknown>>][] = []
  const required: string[] = []
  for (const [name, value] of Object.entries(given)) {
    if (!isParam(value)) {
      values.push([name, value])
      continue
    }
    const { default: fallback, ...schema } = value[PARAM]
    const types = [schema.type ?? []].flat()
    const unknown = types.find((type) => !JSON_TYPES.includes(type))
    if (unknown !== undefined)
      problems.push(`${about}: the type "${unknown}" of param "${name}" is unknown. Types are ${JSON_TYPES.join(', ')}.`)
    if (schema.enum !== undefined && !Array.isArray(schema.enum))
      problems.push(`${about}: the enum of param "${name}" must be a list of values.`)
    schemas.push([name, schema])
    if (fallback === undefined) required.push(name)
    else values.push([name, fallback])
  }
  return { values: Object.fromEntries(values), schemas: Object.fromEntries(schemas), required }
}
