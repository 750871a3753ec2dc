/** Renders the templates in a task's arguments, when the task runs. A name that does not exist is an error that says which. */
import { AppError, didYouMean, messageOf } from '../core/app-error.ts'
import type { PlatformQuestion } from './task-question.ts'
import { CAPTURE, renderIn, type TemplateScope } from './template-environment.ts'
import { AskedName } from './template-names.ts'
import { isNamed } from './time-delta.ts'

/** What only the platform can answer. Null of `xcom` means that there is none. */
export interface TemplateSources {
  /** Rejects with code `not_found` when there is none. */
  variable(key: string): Promise<string>
  connection(id: string): Promise<Readonly<Record<string, unknown>>>
  xcom(taskId: string, key: string, mapIndex?: number): Promise<unknown>
  platform(question: PlatformQuestion): Promise<unknown>
}

export interface TemplateOptions {
  /** Where in the arguments the value stands, for complaints. Default `args`. */
  readonly place?: string
  /** A string that ends so is the path of a file whose text is the template. */
  readonly extensions?: readonly string[]
  /** Reads such a file; also those that templates include. Throws a sentence when there is none. */
  readonly readFile?: (path: string) => string
  /** A string that is one expression and nothing else keeps the type of its value. */
  readonly isNative?: boolean
}

/** Templates ask in the middle of a line, and the answer takes time: so what is missing is fetched, and the line is begun again. */
const MAX_FETCHES = 1_000

/** `value` with every string in it rendered; the rest of the data is as it was. Throws `invalid` with the place in the arguments. */
export async function renderTemplates(
  value: unknown,
  names: Readonly<Record<string, unknown>>,
  sources: TemplateSources,
  options: TemplateOptions = {},
): Promise<unknown> {
  const renderer = new Renderer(names, sources, options)
  const walk = async (part: unknown, at: string): Promise<unknown> => {
    if (typeof part === 'string') return renderer.renderString(part, at)
    if (Array.isArray(part)) return Promise.all(part.map((item, i) => walk(item, `${at}[${i}]`)))
    if (part === null || typeof part !== 'object' || part instanceof Date) return part
    return Object.fromEntries(await Promise.all(Object.entries(part).map(async ([key, item]) => [key, await walk(item, `${at}.${key}`)])))
  }
  return walk(value, options.place ?? 'args')
}

/** What `ti.xcom_pull` may be told; the last is how Nunjucks marks names. */
const PULLED_BY: readonly string[] = ['task_ids', 'key', 'map_indexes', 'default', '__keywords']

/** Python's own names for them. */
const CONSTANTS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null }

class Renderer implements TemplateScope {
  readonly #answers = new Map<string, unknown>()
  readonly #sources: TemplateSources
  readonly #options: TemplateOptions
  readonly #known: Readonly<Record<string, unknown>>
  #missing: { readonly id: string; readonly fetch: () => Promise<unknown> } | null = null
  #problem: string | null = null
  #lastAbsent: string | null = null

  constructor(names: Readonly<Record<string, unknown>>, sources: TemplateSources, options: TemplateOptions) {
    this.#sources = sources
    this.#options = options
    this.#known = this.#withSources(names)
  }

  /** The value of a name in a template. */
  named(name: string, globals: Readonly<Record<string, unknown>>): unknown {
    if (Object.hasOwn(this.#known, name)) {
      const value = this.#known[name]
      const given =
        value instanceof AskedName
          ? value.read(this.#ask(`${name} ${JSON.stringify(value.ask)}`, () => this.#sources.platform(value.ask)))
          : value
      return watched(given, name, (absent) => (this.#lastAbsent = absent))
    }
    if (Object.hasOwn(CONSTANTS, name)) return CONSTANTS[name]
    if (Object.hasOwn(globals, name)) return globals[name]
    this.#problem = `"${name}" is not defined.${didYouMean(name, Object.keys(this.#known))}`
    throw new Error(this.#problem)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#known, name) || Object.hasOwn(CONSTANTS, name)
  }

  /** The text of a file that a template includes. */
  file(path: string): string {
    try {
      return this.#fileText(path)
    } catch (error) {
      this.#problem = messageOf(error)
      throw error
    }
  }

  async renderString(text: string, place: string): Promise<unknown> {
    const { extensions = [], isNative = false } = this.#options
    const isFile = extensions.some((extension) => text.endsWith(extension))
    const template = isFile ? this.#fileOf(text, place) : text
    const expression = isNative ? /^\s*\{\{-?((?:(?!\}\}|\{\{)[\s\S])*?)-?\}\}\s*$/.exec(template)?.[1] : undefined
    if (expression === undefined) return /\{[{%#]/.test(template) ? (await this.#render(template, place, template)).text : template
    const { value } = await this.#render(`{{ (${expression}) | ${CAPTURE} }}`, place, template)
    return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : (value ?? null)
  }

  #fileOf(path: string, place: string): string {
    try {
      return this.#fileText(path)
    } catch (error) {
      throw new AppError('invalid', `The template of ${place} cannot be rendered: ${messageOf(error)}`, { cause: error })
    }
  }

  #fileText(path: string): string {
    const { readFile } = this.#options
    if (!readFile) throw new AppError('invalid', `"${path}" names a template file, and there are none here.`)
    return readFile(path)
  }

  async #render(template: string, place: string, written: string): Promise<{ readonly text: string; readonly value: unknown }> {
    for (let fetches = 0; fetches < MAX_FETCHES; fetches++) {
      this.#missing = null
      this.#problem = null
      this.#lastAbsent = null
      try {
        return renderIn(this, template)
      } catch (error) {
        const missing = this.#missing as { id: string; fetch: () => Promise<unknown> } | null
        if (!missing) throw this.#complaint(written, place, error)
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
      const named = (isNamed(first) ? first : isNamed(second) ? second : {}) as {
        task_ids?: unknown
        key?: string
        map_indexes?: number | readonly number[]
        default?: unknown
      }
      for (const name of Object.keys(named))
        if (!PULLED_BY.includes(name))
          throw this.#refuse(`ti.xcom_pull has no "${name}" here: it pulls from this run, by ${PULLED_BY.slice(0, -1).join(', ')}.`)
      const tasks = named.task_ids ?? (isNamed(first) ? undefined : first)
      const key = named.key ?? (typeof second === 'string' ? second : 'return_value')
      if (tasks === undefined) throw this.#refuse('ti.xcom_pull needs the id of a task, as in ti.xcom_pull("train").')
      const one = (id: unknown, mapIndex?: number): unknown =>
        this.#ask(`xcom ${String(id)} ${key} ${mapIndex ?? ''}`, () => this.#sources.xcom(String(id), key, mapIndex)) ??
        named.default ??
        null
      const { map_indexes: indexes } = named
      const ofTask = (id: unknown) =>
        Array.isArray(indexes) ? indexes.map((index) => one(id, index)) : one(id, indexes as number | undefined)
      return Array.isArray(tasks) ? tasks.map(ofTask) : ofTask(tasks)
    }
    const variable = (key: string) => this.#ask(`variable ${key}`, () => this.#sources.variable(key)) as string
    const json = (key: string) => {
      const text = variable(key)
      try {
        return JSON.parse(text)
      } catch {
        throw this.#refuse(`The Variable "${key}" is not JSON, so it has no var.json.${key}. Use var.value.${key}.`)
      }
    }
    const connection = (id: string) => this.#ask(`connection ${id}`, () => this.#sources.connection(id))
    const has = (id: string, fetch: () => Promise<unknown>): boolean =>
      this.#ask(`has ${id}`, () =>
        fetch().then(
          () => true,
          (error: unknown) => {
            if ((error as { code?: unknown }).code === 'not_found') return false
            throw error
          },
        ),
      ) === true
    const hasVariable = (key: string) => has(`variable ${key}`, () => this.#sources.variable(key))
    const ti = { ...(names.ti as object), xcom_pull: pull }
    return {
      ...names,
      ti,
      task_instance: ti,
      var: { value: lookup(variable, hasVariable), json: lookup(json, hasVariable) },
      conn: lookup(connection, (id) => has(`connection ${id}`, () => this.#sources.connection(id))),
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

/** An object whose every member is looked up when it is used; `get(name, default)` is the same, with something for what is not there. */
const lookup = (find: (name: string) => unknown, has: (name: string) => boolean): object => {
  const get = (name: string, ...defaults: readonly unknown[]) => {
    const [given] = defaults
    if (defaults.length === 0 || has(name)) return find(name)
    return isNamed(given)
      ? ((given as { default_var?: unknown; default?: unknown }).default_var ?? (given as { default?: unknown }).default)
      : given
  }
  return new Proxy({}, { get: (_, name) => (typeof name !== 'string' ? undefined : name === 'get' ? get : find(name)) })
}

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
