/** Artifacts: the files of runs and of logged models, kept outside the database. */
import { AppError } from '../core/app-error.ts'

/** `path` is relative to the folder that was listed. */
export interface ArtifactEntry {
  readonly path: string
  readonly isFolder: boolean
  readonly bytes: number | null
}

export interface ArtifactContent {
  readonly bytes: number
  readonly stream: ReadableStream<Uint8Array>
}

/** Paths are relative, with `/` between their parts, and have passed `checkArtifactPath`. */
export interface ArtifactStore {
  /** Puts the whole of `content` at `path`, or nothing. An older file there is replaced. */
  write(path: string, content: ReadableStream<Uint8Array> | null, signal?: AbortSignal): Promise<void>
  /** Throws `not_found`. */
  read(path: string): Promise<ArtifactContent>
  /** The entries of a folder in the order of their names; none when there is no such folder. */
  list(path: string): Promise<ArtifactEntry[]>
  /** A file, or a folder with all in it. Nothing happens when there is none. */
  delete(path: string): Promise<void>
}

const SCHEME = 'mlflow-artifacts:'

/** `path` without surrounding slashes; throws `invalid` unless every part of it is a plain name. */
export function checkArtifactPath(path: string): string {
  const parts = path.replace(/^\/+|\/+$/g, '').split('/')
  // Control characters and backslashes mean something else to some file system.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const isPlain = (part: string) => part !== '' && part !== '.' && part !== '..' && part.length <= 255 && !/[\\\u0000-\u001f]/.test(part)
  if (path.length > 2000 || path.startsWith('/') || !parts.every(isPlain))
    throw new AppError('invalid', `Invalid path "${path}": an artifact path is relative and has no "..", no backslash and no empty part.`)
  return parts.join('/')
}

/** The path in our store that an artifact URI stands for. Throws `invalid` when the URI points elsewhere. */
export function pathOfUri(uri: string): string {
  if (!uri.startsWith(`${SCHEME}/`))
    throw new AppError('invalid', `The artifacts at "${uri}" are not kept here: only ${SCHEME}/… URIs are. Ask the store that they are in.`)
  const path = uri.slice(SCHEME.length).replace(/^\/\/[^/]*/, '')
  return checkArtifactPath(path.replace(/^\/+/, ''))
}

export const joinPath = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/')
