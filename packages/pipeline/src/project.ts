/** A model project on disk: its pipelines in `src/pipeline_registry.ts`, its configuration in `conf/`. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { catalogOf } from './catalog.ts'
import { type ConfigurationOptions, loadConfiguration } from './configuration.ts'
import { Pipeline, type Slice } from './pipeline.ts'
import { didYouMean, PipelineError } from './pipeline-error.ts'
import { type RunOptions, run } from './runner.ts'

/** The default export of a project's `src/pipeline_registry.ts`. `__default__` is what runs when no name is given. */
export type PipelineRegistry = Readonly<Record<string, Pipeline>>

const DEFAULT_PIPELINE = '__default__'
const REGISTRY_FILES = ['src/pipeline_registry.ts', 'src/pipeline_registry.js']

/** Throws when the project in `root` has no registry, or one whose default export is not pipelines by name. */
export async function loadRegistry(root: string): Promise<PipelineRegistry> {
  for (const file of REGISTRY_FILES) {
    const path = join(root, file)
    if (
      !(await access(path).then(
        () => true,
        () => false,
      ))
    )
      continue
    const registry: unknown = ((await import(pathToFileURL(path).href)) as { default?: unknown }).default
    const pipelines = Object.entries(registry ?? {})
    if (pipelines.length > 0 && pipelines.every(([, value]) => value instanceof Pipeline)) return registry as PipelineRegistry
    throw new PipelineError(`${file} must have a default export of the form { name: pipeline([...]) }`)
  }
  throw new PipelineError(`${root} is not a model project: it has no ${REGISTRY_FILES[0]}. Run this in the folder of the project.`)
}

export interface ProjectRunOptions extends ConfigurationOptions, RunOptions {
  /** Default `__default__`. */
  readonly pipeline?: string
  readonly slice?: Slice
  /** The version of what is saved in versioned datasets. */
  readonly version: string
}

/** Runs one pipeline of the project in `root` with its configuration. Answers what `run` answers. */
export async function runProject(options: ProjectRunOptions): Promise<Record<string, unknown>> {
  const { root, pipeline: name = DEFAULT_PIPELINE, slice = {}, version } = options
  const registry = await loadRegistry(root)
  const whole = Object.hasOwn(registry, name) ? registry[name] : undefined
  if (!whole) {
    const names = Object.keys(registry)
    throw new PipelineError(`The project has no pipeline "${name}".${didYouMean(name, names)} It has: ${names.join(', ')}.`)
  }
  const { catalog, parameters } = await loadConfiguration(options)
  return run(whole.slice(slice), catalogOf(catalog, { root, parameters, version }), options)
}
