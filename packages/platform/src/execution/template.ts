/** Renders the templates in a task's arguments, when the task runs. A name that does not exist is an error that says which. */
import nunjucks from 'nunjucks'
import { AppError, didYouMean, messageOf } from '../core/app-error.ts'
import type { PlatformQuestion } from './task-question.ts'
import { dividedBy, minus, plus, times } from './template-date.ts'
import { WITH_MEMBERS } from './template-macros.ts'
import { AskedName, TEMPLATE_FILTERS } from './template-names.ts'
import { printed, pythonMethod, VALUE_FILTERS } from './template-values.ts'

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

/** Rendering is synchronous, so one environment serves all: this is whom it serves now. */
let current: Renderer | null = null
let environment: nunjucks.Environment | null = null
/** What an expression came to before it was made text. */
let captured: { readonly value: unknown } | null = null
const CAPTURE = '__capture'
const compiled = new Map<string, nunjucks.Template>()
const MOST_COMPILED = 500

function sharedEnvironment(): nunjucks.Environment {
  if (environment) return environment
  countWithDates()
  const loader = { getSource: (name: string) => ({ src: current?.file(name) ?? '', path: name, noCache: true }) }
  const made = new nunjucks.Environment([loader as unknown as nunjucks.ILoader], { autoescape: false, throwOnUndefined: true })
  for (const [name, filter] of Object.entries({ ...TEMPLATE_FILTERS, ...VALUE_FILTERS })) made.addFilter(name, filter)
  made.addFilter('map', (values: readonly unknown[], ...args: readonly unknown[]) => mapped(made, values, args))
  made.addFilter(CAPTURE, (value: unknown) => {
    captured = { value }
    return ''
  })
  // Nunjucks looks names up among its globals; answering that every name is there lets us say which one is not.
  const own = made as unknown as { globals: Record<string, unknown> }
  own.globals = new Proxy(own.globals, {
    has: (_, name) => typeof name === 'string',
    get: (globals, name: string) => current?.named(name, globals),
  })
  environment = made
  return made
}

/** Jinja's `map`: a filter by its name, with its arguments; or `attribute="name"`. */
function mapped(made: nunjucks.Environment, values: readonly unknown[], args: readonly unknown[]): unknown[] {
  const [first, ...rest] = args
  if (isNamed(first))
    return values.map((value) => {
      const name = String((first as { attribute?: unknown }).attribute)
      return isHidden(value, name) ? undefined : (value as Readonly<Record<string, unknown>>)[name]
    })
  const filter = (made as unknown as { getFilter(name: string): (...given: readonly unknown[]) => unknown }).getFilter(String(first))
  return values.map((value) => filter(value, ...rest))
}

/** In templates `+` and `-` know of instants and lengths of time, functions may have members, and values have those of Python. */
function countWithDates(): void {
  type Emitter = { _emit(code: string): void; compile(node: unknown, frame: unknown): void }
  const { compiler, runtime } = nunjucks as unknown as {
    compiler: { Compiler: { prototype: object } }
    runtime: { memberLookup(of: unknown, name: string): unknown; suppressValue(value: unknown, escapes: boolean): unknown }
  }
  const { memberLookup, suppressValue } = runtime
  const member = (of: unknown, name: string): unknown => {
    if (isHidden(of, name)) return undefined
    const found = (of as Readonly<Record<string, unknown>> | null | undefined)?.[name]
    const method = typeof of === 'string' || found === undefined ? pythonMethod(of, name) : undefined
    if (method) return method
    return typeof found === 'function' && WITH_MEMBERS in found ? found : memberLookup(of, name)
  }
  const shown = (value: unknown, escapes: boolean) => suppressValue(printed(value), escapes)
  // A plain object stands behind nunjucks' own look-up, and has names of its own, such as `constructor`.
  const lookUp = (context: Looked, frame: { lookup(name: string): unknown }, name: string): unknown => {
    const found = frame.lookup(name)
    if (found !== undefined) return found
    return Object.hasOwn(context.ctx, name) ? context.ctx[name] : context.env.globals[name]
  }
  Object.assign(runtime, { contextOrFrameLookup: lookUp, plus, minus, times, dividedBy, memberLookup: member, suppressValue: shown })
  const emit = (call: string) =>
    function (this: Emitter, node: { left: unknown; right: unknown }, frame: unknown) {
      this._emit(`runtime.${call}(`)
      this.compile(node.left, frame)
      this._emit(', ')
      this.compile(node.right, frame)
      this._emit(')')
    }
  Object.assign(compiler.Compiler.prototype, {
    compileAdd: emit('plus'),
    compileSub: emit('minus'),
    compileMul: emit('times'),
    compileDiv: emit('dividedBy'),
  })
}

interface Looked {
  readonly ctx: Readonly<Record<string, unknown>>
  readonly env: { readonly globals: Readonly<Record<string, unknown>> }
}

/** What leads out of a template, to the language behind it; data may have fields of such names. */
const HIDDEN: ReadonlySet<string> = new Set(['constructor', 'prototype', 'caller', 'callee', 'arguments', 'apply', 'call', 'bind'])

function isHidden(of: unknown, name: unknown): boolean {
  const key = String(name)
  if (typeof of === 'function') return !(WITH_MEMBERS in of && Object.hasOwn(of, key)) || HIDDEN.has(key)
  if (!HIDDEN.has(key) && !/^__.*__$/.test(key)) return false
  const isData = typeof of === 'object' && of !== null && [Object.prototype, null].includes(Object.getPrototypeOf(of))
  return !isData || !Object.hasOwn(of, key)
}

/** Python's own names for them. */
const CONSTANTS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null }

function templateOf(text: string): nunjucks.Template {
  const known = compiled.get(text)
  if (known) return known
  if (compiled.size >= MOST_COMPILED) compiled.clear()
  // As in Jinja one line break at the end is none of the text.
  const template = new nunjucks.Template(text.replace(/\r?\n$/, ''), sharedEnvironment())
  compiled.set(text, template)
  return template
}

class Renderer {
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
        current = this
        captured = null
        const text = templateOf(template).render({})
        return { text, value: (captured as { value: unknown } | null)?.value }
      } catch (error) {
        const missing = this.#missing as { id: string; fetch: () => Promise<unknown> } | null
        if (!missing) throw this.#complaint(written, place, error)
        this.#answers.set(missing.id, await missing.fetch())
      } finally {
        current = null
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

const isNamed = (value: unknown): boolean => typeof value === 'object' && value !== null && '__keywords' in value

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
