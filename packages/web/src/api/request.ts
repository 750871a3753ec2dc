/** One HTTP request, and what to say when it does not work. */
import { PlatformError } from './platform.ts'

const UNREACHABLE = 'The platform does not answer. Check that it is running (npm start) and try again.'

/** Answers only responses that are fine; everything else is thrown as a `PlatformError` in the words of the platform. */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new PlatformError(0, UNREACHABLE)
  }
  if (!response.ok) throw await refusal(response)
  return response
}

export const requestJson = async <T>(path: string, init?: RequestInit): Promise<T> => (await (await request(path, init)).json()) as T

export const sendJson = (path: string, body: unknown, method: 'POST' | 'PATCH' = 'POST'): Promise<unknown> =>
  requestJson(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })

/** Each protocol words its errors in its own way; the sentence and the problems are in all of them. */
async function refusal(response: Response): Promise<PlatformError> {
  const text = await response.text().catch(() => '')
  const body = parse(text)
  const error = body.error ?? body
  const sentence = typeof error === 'string' ? error : (error.message ?? error.detail ?? body.title)
  const problems = [error.problems, body.problems, body.errors].find((list) => Array.isArray(list)) ?? []
  const message = typeof sentence === 'string' ? sentence : text.trim().slice(0, 400)
  return new PlatformError(
    response.status,
    firstLine(message, problems.length > 0) || `The platform answered ${response.status}.`,
    problems.map(wordOf).filter((problem: string) => problem !== message),
  )
}

// biome-ignore lint/suspicious/noExplicitAny: the bodies of errors have no common schema.
function parse(text: string): any {
  try {
    return JSON.parse(text) ?? {}
  } catch {
    return {}
  }
}

/** The list under the first line is shown as a list of its own. */
const firstLine = (message: string, hasProblems: boolean) => (hasProblems ? (message.split('\n')[0] ?? '') : message)

const wordOf = (problem: unknown): string =>
  typeof problem === 'string' ? problem : String((problem as { message?: unknown }).message ?? JSON.stringify(problem))
