/** How Nunjucks compiles what Jinja understands otherwise: what is true, and which names may be missing. */
import nunjucks from 'nunjucks'

/** As a filter it answers whether a value is something, as Python has it. */
export const TRUTH = '__truth'

/** Nunjucks' compiler: what each kind of node becomes. */
export interface Emitter {
  _emit(code: string): void
  compile(node: unknown, frame: unknown): void
  compileIf(node: Choice, frame: unknown, isAsync: boolean): void
  compileInlineIf(node: Choice, frame: unknown): void
  compileFilter(node: Applied, frame: unknown): void
  compileIs(node: Tested, frame: unknown): void
  compileSymbol(node: Written, frame: unknown): void
}

interface Written {
  readonly value?: unknown
}

interface Applied {
  readonly name: Written
  readonly args: { readonly children: readonly Written[] }
}

interface Tested {
  readonly left: Written
  readonly right: Written & { readonly name?: Written }
}

interface Choice {
  readonly lineno: number
  readonly colno: number
  readonly cond: unknown
}

/** Wherever a template asks whether something is so, lists and objects count that have something in them. */
export function askingForTruth({ compileIf, compileInlineIf }: Emitter) {
  type Node = new (line: number, column: number, ...given: readonly unknown[]) => object
  const { nodes } = nunjucks as unknown as { nodes: Record<'Filter' | 'NodeList' | 'Symbol', Node> }
  const asking = (node: Choice): Choice => {
    const at = [node.lineno, node.colno] as const
    const cond = new nodes.Filter(...at, new nodes.Symbol(...at, TRUTH), new nodes.NodeList(...at, [node.cond]))
    return Object.create(node, { cond: { value: cond } }) as Choice
  }
  const emit = (call: string) =>
    function (this: Emitter, node: { left: unknown; right: unknown }, frame: unknown) {
      this._emit(`runtime.${call}(`)
      this.compile(node.left, frame)
      this._emit(', () => (')
      this.compile(node.right, frame)
      this._emit('))')
    }
  return {
    compileIf(this: Emitter, node: Choice, frame: unknown, isAsync: boolean) {
      compileIf.call(this, asking(node), frame, isAsync)
    },
    compileInlineIf(this: Emitter, node: Choice, frame: unknown) {
      compileInlineIf.call(this, asking(node), frame)
    },
    compileNot(this: Emitter, { target }: { target: unknown }, frame: unknown) {
      this._emit('!runtime.isTrue(')
      this.compile(target, frame)
      this._emit(')')
    },
    compileOr: emit('either'),
    compileAnd: emit('both'),
  }
}

/** `name | default("x")` and `name is defined` are for names that may be missing; anywhere else such a name is an error. */
export function allowingForNothing({ compileFilter, compileIs, compileSymbol }: Emitter) {
  const mayBeMissing = new WeakSet<Written>()
  return {
    compileFilter(this: Emitter, node: Applied, frame: unknown) {
      const [input] = node.args.children
      if (input && (node.name.value === 'default' || node.name.value === 'd')) mayBeMissing.add(input)
      compileFilter.call(this, node, frame)
    },
    compileIs(this: Emitter, node: Tested, frame: unknown) {
      const test = (node.right.name ?? node.right).value
      if (test === 'defined' || test === 'undefined') mayBeMissing.add(node.left)
      compileIs.call(this, node, frame)
    },
    compileSymbol(this: Emitter, node: Written, frame: { lookup(name: unknown): unknown }) {
      if (!mayBeMissing.has(node) || frame.lookup(node.value)) compileSymbol.call(this, node, frame)
      else this._emit(`runtime.contextOrFrameLookup(context, frame, ${JSON.stringify(node.value)}, true)`)
    },
  }
}
