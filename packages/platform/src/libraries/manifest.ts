/** A library's package.json as it is served: what pointed at TypeScript sources points at the JavaScript built from them. */

export type Manifest = Readonly<Record<string, unknown>> & { readonly name: string; readonly version: string }

/** Told to nobody who installs the library: they are about this repository. */
const INTERNAL = ['private', 'scripts', 'devDependencies', 'workspaces']

/** Dependencies stay as they are. */
export function servedManifest(manifest: Manifest): Manifest {
  const kept = Object.fromEntries(Object.entries(manifest).filter(([key]) => !INTERNAL.includes(key)))
  return {
    ...(kept as Manifest),
    ...(manifest.exports === undefined ? {} : { exports: servedExports(manifest.exports) }),
    ...(manifest.bin === undefined ? {} : { bin: servedBin(manifest.bin) }),
    files: ['dist'],
  }
}

/** The paths of the commands that it brings, in the package. */
export function binPaths({ bin }: Manifest): string[] {
  const paths = typeof bin === 'string' ? [bin] : Object.values((bin ?? {}) as Record<string, string>)
  return paths.map((path) => path.replace(/^\.\//, ''))
}

function servedExports(exports: unknown): unknown {
  if (typeof exports === 'string')
    return exports.endsWith('.ts') ? { types: builtPath(exports, '.d.ts'), default: builtPath(exports, '.js') } : builtPath(exports, '')
  if (typeof exports !== 'object' || exports === null) return exports
  return Object.fromEntries(Object.entries(exports).map(([key, value]) => [key, servedExports(value)]))
}

function servedBin(bin: unknown): unknown {
  if (typeof bin === 'string') return builtPath(bin, '.js')
  return Object.fromEntries(Object.entries(bin as Record<string, string>).map(([command, path]) => [command, builtPath(path, '.js')]))
}

/** `./src/a/b.ts` as `./dist/a/b` with `extension`; other files keep theirs. */
const builtPath = (path: string, extension: string): string => path.replace(/^(\.\/)?src\//, './dist/').replace(/\.ts$/, extension)
