/** Renders the templates in a task's arguments, when the task runs. A name that does not exist is an error that says which. */
import nunjucks from 'nunjucks'
import { AppError, didYouMean, messageOf } from '../core/app-error.ts'
import { TEMPLATE_FILTERS } from './template-names.ts'

/** What only the platform can answer. Null of `xcom` means that there is none. */
export interface TemplateSources {
  variable(key: string): Promise<string>
  connection(id: string): Promise<Readonly<Record<string, unknown>>>
  xcom(taskId: string, key: string): Promise<unknown>
}

/** Templates ask in the middle of a line, and the answer takes time: so what is missing is fetched, and the line is begun again. */
const MAX_FETCHES = 1_000

/** `value` with every string in it rendered; the rest of the data is as it was. Throws `invalid` with the place in the arguments. */
export async function renderTemplates(
  value: unknown,
  names: Readonly<Record<string, unknown>>,
  sources: TemplateSources,
  place = 'args',
): Promise<unknown> {
  const renderer = new Renderer(names, sources)
  const walk = async (part: unknown, at: string): Promise<unknown> => {
    if (typeof part === 'string') return renderer.render(part, at)
    if (Array.isArray(part)) return Promise.all(part.map((item, i) => walk(item, `${at}[${i}]`)))
    if (part === null || typeof part !== 'object' || part instanceof Date) return part
    return Object.fromEntries(await Promise.all(Object.entries(part).map(async ([key, item]) => [key, await walk(item, `${at}.${key}`)])))
  }
  return walk(value, place)
}

class Renderer {
  readonly #environment = new nunjucks.Environment([], { autoescape: false, throwOnUndefined: true })
  readonly #answers = new Map<string, unknown>()
  readonly #sources: TemplateSources
  #missing: { readonly id: string; readonly fetch: () => Promise<unknown> } | null = null
  #problem: string | null = null
  #lastAbsent: string | null = null

  constructor(names: Readonly<Record<string, unknown>>, sources: TemplateSources) {
    this.#sources = sources
    for (const [name, filter] of Object.entries(TEMPLATE_FILTERS)) this.#environment.addFilter(name, filter)
    this.#environment.addFilter('tojson', (value: unknown) => JSON.stringify(value))
    const known = this.#withSources(names)
    // Nunjucks looks names up among its globals; answering that every name is there lets us say which one is not.
    const own = this.#environment as unknown as { globals: Record<string, unknown> }
    own.globals = new Proxy(own.globals, {
      has: (_, name) => typeof name === 'string',
      get: (globals, name: string) => {
        if (name in known) return watched(known[name], name, (absent) => (this.#lastAbsent = absent))
        if (Object.hasOwn(globals, name)) return globals[name]
        this.#problem = `"${name}" is not defined.${didYouMean(name, Object.keys(known))}`
        throw new Error(this.#problem)
      },
    })
  }

  async render(template: string, place: string): Promise<string> {
    if (!/\{[{%#]/.test(template)) return template
    for (let fetches = 0; fetches < MAX_FETCHES; fetches++) {
      this.#missing = null
      this.#problem = null
      this.#lastAbsent = null
      try {
        return this.#environment.renderString(template, {})
      } catch (error) {
        const missing = this.#missing as { id: string; fetch: () => Promise<unknown> } | null
        if (!missing) throw this.#complaint(template, place, error)
        this.#answers.set(missing.id, await missing.fetch())
      }
    }
    throw new AppError('invalid', `The template of ${place} asks for more than ${MAX_FETCHES} different values. Use fewer.`)
  }

  #complaint(template: string, place: string, error: unknown): AppError {
    const reason =
      this.#problem ??
      (/null or undefined/.test(messageOf(error)) && this.#lastAbsent
        ? `"${this.#lastAbsent}" has no value.`
        : messageOf(error)
            .replace(/^\(unknown path\)/, '')
            .replace(/\s+/g, ' ')
            .replace(/(Template render error|\w*Error): /g, '')
            .trim())
    const short = template.length > 200 ? `${template.slice(0, 200)}…` : template
    return new AppError('invalid', `The template of ${place} cannot be rendered: ${reason} It reads: ${short}`, { cause: error })
  }

  #withSources(names: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const pull = (first: unknown, second?: unknown): unknown => {
      const named = (isNamed(first) ? first : isNamed(second) ? second : {}) as { task_ids?: unknown; key?: string }
      const tasks = named.task_ids ?? (isNamed(first) ? undefined : first)
      const key = named.key ?? (typeof second === 'string' ? second : 'return_value')
      if (tasks === undefined) throw this.#refuse('ti.xcom_pull needs the id of a task, as in ti.xcom_pull("train").')
      const one = (id: unknown) => this.#ask(`xcom ${String(id)} ${key}`, () => this.#sources.xcom(String(id), key))
      return Array.isArray(tasks) ? tasks.map(one) : one(tasks)
    }
    const variable = (key: string) => this.#ask(`variable ${key}`, () => this.#sources.variable(key)) as string
    const ti = { ...(names.ti as object), xcom_pull: pull }
    return {
      ...names,
      ti,
      task_instance: ti,
      var: {
        value: lookup(variable),
        json: lookup((key) => {
          try {
            return JSON.parse(variable(key))
          } catch (error) {
            if (this.#missing) throw error
            throw this.#refuse(`The Variable "${key}" is not JSON, so it has no var.json.${key}. Use var.value.${key}.`)
          }
        }),
      },
      conn: lookup((id) => this.#ask(`connection ${id}`, () => this.#sources.connection(id))),
    }
  }

  #ask(id: string, fetch: () => Promise<unknown>): unknown {
    if (this.#answers.has(id)) return this.#answers.get(id)
    this.#missing = { id, fetch }
    throw new Error(`${id} must be fetched`)
  }

  #refuse(problem: string): Error {
    this.#problem = problem
    return new Error(problem)
  }
}

const isNamed = (value: unknown): boolean => typeof value === 'object' && value !== null && '__keywords' in value

/** An object whose every member is looked up when it is used; `get(name)` is the same in Airflow's other spelling. */
const lookup = (find: (name: string) => unknown): object =>
  new Proxy({}, { get: (_, name) => (typeof name !== 'string' ? undefined : name === 'get' ? find : find(name)) })

/** Plain data that remembers the last member that was asked for and is not there. */
function watched(value: unknown, path: string, onAbsent: (path: string) => void): unknown {
  if (value === null || value === undefined) onAbsent(path)
  if (typeof value !== 'object' || value === null || ![Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value)))
    return value
  return new Proxy(value, {
    get: (target, name) => {
      const member = Reflect.get(target, name)
      return typeof name === 'string' ? watched(member, `${path}.${name}`, onAbsent) : member
    },
  })
}
