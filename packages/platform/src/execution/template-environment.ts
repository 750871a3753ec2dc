/** The one environment of Nunjucks: taught what templates of Airflow expect of Jinja and Python, and kept apart from the language behind it. */
import nunjucks from 'nunjucks'
import { beside, compares, dividedBy, minus, modulo, plus, times } from './date-arithmetic.ts'
import { WITH_MEMBERS } from './template-macros.ts'
import { TEMPLATE_FILTERS } from './template-names.ts'
import { allowingForNothing, askingForTruth, type Emitter, TRUTH } from './template-syntax.ts'
import { isTrue, printed, pythonMethod, VALUE_FILTERS } from './template-values.ts'
import { isNamed } from './time-delta.ts'

/** Whoever renders answers what his template asks. */
export interface TemplateScope {
  /** The value of a name; throws when there is none. */
  named(name: string, globals: Readonly<Record<string, unknown>>): unknown
  has(name: string): boolean
  /** The text of a file that a template includes. */
  file(path: string): string
}

/** As a filter it keeps the value of an expression, before it is made text. */
export const CAPTURE = '__capture'

/** Rendering is synchronous, so one environment serves all: this is whom it serves now. */
let current: TemplateScope | null = null
let environment: nunjucks.Environment | null = null
/** What an expression came to before it was made text. */
let captured: { readonly value: unknown } | null = null
const compiled = new Map<string, nunjucks.Template>()
const MOST_COMPILED = 500

/** Throws what `scope` throws, and what Nunjucks complains of. `value` is what `CAPTURE` has kept. */
export function renderIn(scope: TemplateScope, template: string): { readonly text: string; readonly value: unknown } {
  try {
    current = scope
    captured = null
    const text = templateOf(template).render({})
    return { text, value: (captured as { value: unknown } | null)?.value }
  } finally {
    current = null
  }
}

function sharedEnvironment(): nunjucks.Environment {
  if (environment) return environment
  countWithDates()
  const loader = { getSource: (name: string) => ({ src: withoutLastBreak(current?.file(name) ?? ''), path: name, noCache: true }) }
  const made = new nunjucks.Environment([loader as unknown as nunjucks.ILoader], { autoescape: false, throwOnUndefined: true })
  for (const [name, filter] of Object.entries({ ...TEMPLATE_FILTERS, ...VALUE_FILTERS })) made.addFilter(name, filter)
  made.addFilter('map', (values: readonly unknown[], ...args: readonly unknown[]) => mapped(made, values, args))
  made.addFilter(TRUTH, isTrue)
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
  const { compiler, runtime } = nunjucks as unknown as {
    compiler: { Compiler: { prototype: Emitter } }
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
  const lookUp = (context: Looked, frame: { lookup(name: string): unknown }, name: string, mayBeMissing = false): unknown => {
    const found = frame.lookup(name)
    if (found !== undefined) return found
    if (Object.hasOwn(context.ctx, name)) return context.ctx[name]
    return mayBeMissing && !current?.has(name) ? undefined : context.env.globals[name]
  }
  Object.assign(runtime, {
    contextOrFrameLookup: lookUp,
    plus,
    minus,
    times,
    dividedBy,
    modulo,
    beside,
    compares,
    isTrue,
    either: (one: unknown, other: () => unknown) => (isTrue(one) ? one : other()),
    both: (one: unknown, other: () => unknown) => (isTrue(one) ? other() : one),
    memberLookup: member,
    suppressValue: shown,
  })
  const emit = (call: string) =>
    function (this: Emitter, node: { left: unknown; right: unknown }, frame: unknown) {
      this._emit(`runtime.${call}(`)
      this.compile(node.left, frame)
      this._emit(', ')
      this.compile(node.right, frame)
      this._emit(')')
    }
  const emitComparison = function (this: Emitter, node: Comparison, frame: unknown) {
    this._emit('runtime.compares([')
    for (const value of [node.expr, ...node.ops.map(({ expr }) => expr)]) {
      this.compile(value, frame)
      this._emit(', ')
    }
    this._emit(`], ${JSON.stringify(node.ops.map(({ type }) => type))})`)
  }
  Object.assign(compiler.Compiler.prototype, {
    ...askingForTruth(compiler.Compiler.prototype),
    ...allowingForNothing(compiler.Compiler.prototype),
    compileCompare: emitComparison,
    compileAdd: emit('plus'),
    compileSub: emit('minus'),
    compileMul: emit('times'),
    compileDiv: emit('dividedBy'),
    compileMod: emit('modulo'),
    compileConcat: emit('beside'),
  })
}

interface Comparison {
  readonly expr: unknown
  readonly ops: readonly { readonly type: string; readonly expr: unknown }[]
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

function templateOf(text: string): nunjucks.Template {
  const known = compiled.get(text)
  if (known) return known
  if (compiled.size >= MOST_COMPILED) compiled.clear()
  const template = new nunjucks.Template(withoutLastBreak(text), sharedEnvironment())
  compiled.set(text, template)
  return template
}

/** As in Jinja one line break at the end is none of the text, nor of what it includes. */
const withoutLastBreak = (text: string): string => text.replace(/\r?\n$/, '')
