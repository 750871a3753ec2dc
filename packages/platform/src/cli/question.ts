/** What tasks ask humans while they are tested: at the terminal, or answered in advance. */
import { many, usageError } from './command.ts'
import { ask, isTerminal } from './confirm.ts'
import type { Context } from './context.ts'
import type { HumanAnswer, HumanAnswers, HumanQuestion } from './host.ts'

export const answerOption = many(
  'TASK=OPTION',
  'answers what a task asks a human; again for several options. With further fields as in the API: TASK={"chosen_options": […], "params_input": {…}}',
)

/** Throws a usage error with every answer that cannot be read. */
export function humanAnswers({ stdin, stderr, terminal }: Context, given: readonly string[], command: string): HumanAnswers {
  const speak = (line: string) => stderr.write(`${line}\n`)
  return {
    given: readAnswers(given, command),
    ask: isTerminal(stdin)
      ? (question, problems, signal) =>
          terminal.alone(async () => {
            for (const problem of problems) speak(problem)
            return askHuman(question, speak, (prompt) => ask({ stdin, stderr, signal }, prompt, command))
          })
      : null,
  }
}

async function askHuman(
  { taskId, mapIndex, subject, body, options, defaults, multiple, fields }: HumanQuestion,
  speak: (line: string) => void,
  read: (prompt: string) => Promise<string>,
): Promise<HumanAnswer> {
  speak(`\n${taskId}${mapIndex < 0 ? '' : `[${mapIndex}]`} asks: ${subject}`)
  if (body) speak(body)
  options.forEach((option, at) => void speak(`  ${at + 1}  ${option}`))
  const fallback = defaults ?? (options.length === 1 ? options : [])
  const what = multiple ? 'Which of them, with commas between?' : 'Which one?'
  const chosen = chosenOf(await read(`${what}${fallback.length > 0 ? ` [${fallback.join(', ')}]` : ''} `), options, multiple)
  const paramsInput: Record<string, unknown> = {}
  for (const { name, value, schema } of fields) {
    if (typeof schema.description === 'string') speak(schema.description)
    const answer = (await read(`${schema.title ?? name}${value === undefined || value === '' ? '' : ` [${shown(value)}]`}: `)).trim()
    if (answer !== '') paramsInput[name] = fieldOf(answer, schema, value)
  }
  return { chosen: chosen.length > 0 ? chosen : fallback, paramsInput }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** By its number or by its name, however it is spelt; anything else is left as it is, for who asks to refuse. */
function chosenOf(line: string, options: readonly string[], multiple: boolean): readonly string[] {
  const text = line.trim()
  if (text === '') return []
  if (options.includes(text) || !multiple) return [optionOf(text, options)]
  return text.split(',').map((one) => optionOf(one.trim(), options))
}

const optionOf = (text: string, options: readonly string[]): string =>
  options.find((option) => option === text) ??
  options.find((option) => option.toLowerCase() === text.toLowerCase()) ??
  (/^\d+$/.test(text) ? options[Number(text) - 1] : undefined) ??
  text

/** A text where one is wanted, else JSON where it is some. */
function fieldOf(answer: string, { type }: Readonly<Record<string, unknown>>, value: unknown): unknown {
  if (type === 'string' || (type === undefined && typeof value === 'string')) return answer
  try {
    return JSON.parse(answer)
  } catch {
    return answer
  }
}

function readAnswers(all: readonly string[], command: string): ReadonlyMap<string, HumanAnswer> {
  const read = new Map<string, HumanAnswer>()
  const problems: string[] = []
  for (const given of all) {
    const [, taskId = '', text = ''] = /^([^=]+)=(.+)$/s.exec(given) ?? []
    const answer = text.startsWith('{') ? readJson(text) : text === '' ? null : { chosen: [text], paramsInput: {} }
    const before = read.get(taskId)
    if (!answer)
      problems.push(`--answer ${JSON.stringify(given)}: must be TASK=OPTION, or TASK={"chosen_options": ["OPTION"], "params_input": {}}.`)
    else
      read.set(taskId, {
        chosen: [...(before?.chosen ?? []), ...answer.chosen],
        paramsInput: { ...before?.paramsInput, ...answer.paramsInput },
      })
  }
  if (problems.length > 0) throw usageError(problems, command)
  return read
}

function readJson(text: string): HumanAnswer | null {
  try {
    const { chosen_options: chosen = [], params_input: paramsInput = {}, ...unknown } = JSON.parse(text) as Record<string, unknown>
    const isRead =
      Array.isArray(chosen) && chosen.every((one) => typeof one === 'string') && typeof paramsInput === 'object' && paramsInput !== null
    return isRead && Object.keys(unknown).length === 0 ? { chosen, paramsInput: { ...paramsInput } } : null
  } catch {
    return null
  }
}
