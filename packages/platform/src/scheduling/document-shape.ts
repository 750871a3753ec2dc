/** Whether a document is what our package makes. A DAG folder may bring a copy of another version, and whatever it says comes from the authors' process. */
import { type DagDocument, dag } from '@daggerboard/dag'

type Fields = Readonly<Record<string, unknown>>

const { tasks, ...WHOLE } = dag('whole', {}, ({ task }) => void task('whole', async () => {})).document
// An operator's arguments may be anything.
const { args: _, ...WHOLE_TASK } = { ...tasks[0] } as Fields

/** A sentence when fields are missing or of another kind; null when it is whole. What is inside of lists, apart from tasks, is not looked at. */
export function shapeProblem(document: DagDocument): string | null {
  const given: unknown = document.tasks
  const ofTasks = Array.isArray(given)
    ? given.flatMap((task: unknown, i) =>
        wrongIn(task, WHOLE_TASK).map((field) => `${field} of ${named(task, 'taskId') ?? `task ${i + 1}`}`),
      )
    : ['tasks']
  const wrong = [...wrongIn(document, WHOLE), ...ofTasks]
  if (wrong.length === 0) return null
  const which = `${wrong.slice(0, MOST_NAMED).join(', ')}${wrong.length > MOST_NAMED ? ' …' : ''}`
  const name = named(document, 'dagId')
  return `${name === null ? 'A DAG' : `DAG ${name}`} is not written as this platform reads it: ${which}. Does its folder bring another version of @daggerboard/dag? Take that out.`
}

const MOST_NAMED = 5

/** The names of those fields of `whole` that `value` lacks, or has as another kind. What is null in `whole` may be anything but left out. */
function wrongIn(value: unknown, whole: Fields, path = ''): string[] {
  if (!isRecord(value)) return [path || 'all']
  return Object.entries(whole).flatMap(([name, expected]) => {
    const given = value[name]
    const at = path === '' ? name : `${path}.${name}`
    if (expected === null) return given === undefined ? [at] : []
    if (isRecord(expected)) return wrongIn(given, expected, at)
    return typeof given === typeof expected && Array.isArray(given) === Array.isArray(expected) && given !== null ? [] : [at]
  })
}

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

function named(value: unknown, field: string): string | null {
  const name = isRecord(value) ? value[field] : null
  return typeof name === 'string' ? JSON.stringify(name) : null
}
