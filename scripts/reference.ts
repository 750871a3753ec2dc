/** `npm run reference`: prints the pages of docs/reference from the code that they describe. A test fails when they are stale. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BUILD_MOVES } from '../packages/platform/src/builds/build.ts'
import type { Command } from '../packages/platform/src/cli/command.ts'
import { commands } from '../packages/platform/src/cli/commands.ts'
import { flagsOf, helpOf, wordOf } from '../packages/platform/src/cli/spelling.ts'
import { CLUSTER_MOVES } from '../packages/platform/src/clusters/cluster.ts'
import { JOB_MOVES } from '../packages/platform/src/clusters/job.ts'
import {
  BUILD_PERMISSIONS,
  PERMISSIONS,
  type Permission,
  REVISION_PERMISSIONS,
  ROLE_PERMISSIONS,
  TASK_PERMISSIONS,
} from '../packages/platform/src/core/principal.ts'
import { DAG_RUN_MOVES } from '../packages/platform/src/scheduling/dag-run.ts'
import { TASK_INSTANCE_MOVES } from '../packages/platform/src/scheduling/task-instance.ts'
import { REVISION_MOVES } from '../packages/platform/src/services/revision.ts'
import { describeSettings } from '../packages/platform/src/settings.ts'

const root = resolve(import.meta.dirname, '..')
const FOLDER = 'docs/reference'

/** The text of each page by its path in the repository. */
export const referencePages = (): Readonly<Record<string, string>> => ({
  [`${FOLDER}/command-line.md`]: commandLine(),
  [`${FOLDER}/settings.md`]: settings(),
  [`${FOLDER}/permissions.md`]: permissions(),
  [`${FOLDER}/lifecycles.md`]: lifecycles(),
  [`${FOLDER}/events.md`]: events(),
})

const page = (title: string, source: string, ...parts: readonly string[]): string =>
  `${[`# ${title}`, `Printed by \`npm run reference\` from [${source}](../../${source}); change that file, not this page.`, ...parts].join('\n\n')}\n`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

function settings(): string {
  const all = describeSettings()
  const sections = [...new Set(all.map(({ section }) => section))].map((section) => {
    const rows = all
      .filter((setting) => setting.section === section)
      .map(({ key, default: value, meaning, form, shortVariable, aliases }) => {
        const notes = [
          ...(shortVariable ? [`Short: \`${shortVariable}\`.`] : []),
          ...aliases.map((alias) => `Also read as \`[${alias.replace('.', '] ')}\`.`),
        ]
        return [`\`${key}\``, value === '' ? 'empty' : `\`${value}\``, form, [meaning, ...notes].join(' ')]
      })
    return [`## ${section}`, table(['key', 'default', 'value', 'meaning'], rows)].join('\n\n')
  })
  return page(
    'Settings',
    'packages/platform/src/settings/known-settings.ts',
    [
      'Keys of `daggerboard.toml`, by section. Each is also an environment variable, `DAGGERBOARD__SECTION__KEY`, which goes before the file; some have a short one.',
      'With `_FILE` behind its name a variable holds the path of a file that has the value. [How settings are given](../guides/settings.md).',
      'A start with an unknown key or `DAGGERBOARD_…` name, or with a value that does not fit, ends and lists everything that is wrong.',
    ].join(' '),
    ...sections,
  )
}

function commandLine(): string {
  const told = (command: Command, prefix = ''): string => {
    const words = Object.entries(command.args).map(([key, argument]) => wordOf(key, argument))
    const rows = [
      ...Object.entries(command.args).map(([key, argument]) => [`\`${wordOf(key, argument)}\``, argument.help]),
      ...Object.entries(command.options).map(([key, option]) => [`\`${flagsOf(key, option)}\``, helpOf(option)]),
    ].map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')))
    const aliases = command.aliases?.length ? [`Also: ${command.aliases.map((alias) => `\`${prefix}${alias}\``).join(', ')}.`] : []
    const usage = `\`daggerboard ${[prefix + command.name, ...words].join(' ')}\``
    const parts = [`### ${prefix}${command.name}`, `${command.summary}.`, usage, ...(command.details ? [command.details] : []), ...aliases]
    return [...parts, ...(rows.length === 0 ? [] : [table(['', ''], rows)])].join('\n\n')
  }
  const groups = commands.groups.map(({ name, summary, commands: verbs }) =>
    [`## ${name}`, `${summary}.`, ...verbs.map((verb) => told(verb, `${name} `))].join('\n\n'),
  )
  return page(
    'Command line',
    'packages/platform/src/cli/commands.ts',
    [
      'Every command has `-o, --output` (table, json, yaml, plain), `--config FILE` and `--help`; those that ask a platform have `--endpoint URL`.',
      'Status 0: done; 1: it failed; 2: it was not understood; 130: it was interrupted. How to use it: [the guide](../guides/command-line.md).',
    ].join('\n'),
    '## The platform',
    ...commands.alone.map((command) => told(command)),
    ...groups,
  )
}

function permissions(): string {
  const holders: readonly (readonly [string, readonly Permission[]])[] = [
    ...Object.entries(ROLE_PERMISSIONS),
    ['task', TASK_PERMISSIONS],
    ['build', BUILD_PERMISSIONS],
    ['revision', REVISION_PERMISSIONS],
  ]
  const rows = PERMISSIONS.map((permission) => [
    `\`${permission}\``,
    ...holders.map(([, held]) => (held.includes(permission) ? 'yes' : '')),
  ])
  return page(
    'Permissions',
    'packages/platform/src/core/principal.ts',
    'Every route needs one permission. A person has those of a role (viewer, user, op, admin). A running task, a build step and a deployed revision have a token of their own, with only these:',
    table(['permission', ...holders.map(([name]) => name)], rows),
  )
}

type Moves = Readonly<Record<string, readonly string[]>>

/** The state that a thing is made in comes first. */
const LIFECYCLES: readonly { readonly title: string; readonly source: string; readonly moves: Moves; readonly note: string }[] = [
  { title: 'DAG run', source: 'scheduling/dag-run.ts', moves: DAG_RUN_MOVES, note: 'As in Airflow.' },
  {
    title: 'Task instance',
    source: 'scheduling/task-instance.ts',
    moves: TASK_INSTANCE_MOVES,
    note: 'As in Airflow; `none` is written as null in its API. `queued` or `running` go back to `scheduled` when the platform ended meanwhile.',
  },
  { title: 'Build, and each of its steps', source: 'builds/build.ts', moves: BUILD_MOVES, note: 'As in Cloud Build.' },
  { title: 'Cluster', source: 'clusters/cluster.ts', moves: CLUSTER_MOVES, note: 'As in Dataproc.' },
  { title: 'Job', source: 'clusters/job.ts', moves: JOB_MOVES, note: 'As in Dataproc.' },
  {
    title: 'Revision',
    source: 'services/revision.ts',
    moves: REVISION_MOVES,
    note: 'The annotation `daggerboard.dev/state` of a Cloud Run revision. A retired one is stopped and kept; a rollback deploys it again.',
  },
]

function lifecycles(): string {
  const pictures = LIFECYCLES.map(({ title, source, moves, note }) => {
    const [first] = Object.keys(moves)
    const lines = Object.entries(moves).flatMap(([from, targets]) =>
      (targets.length === 0 ? ['[*]'] : targets).map((to) => `  ${from} --> ${to}`),
    )
    const path = `packages/platform/src/${source}`
    return `## ${title}\n\n${note} The table of moves is in [${source}](../../${path}).\n\n\`\`\`mermaid\nstateDiagram-v2\n  [*] --> ${first}\n${lines.join('\n')}\n\`\`\``
  })
  return `${[
    '# Lifecycles',
    'Printed by `npm run reference` from the tables of allowed moves; change those files, not this page. What is not drawn cannot happen.',
    ...pictures,
  ].join('\n\n')}\n`
}

/** The facts of an event are a type, so they are read from the source. */
function events(): string {
  const source = 'packages/platform/src/core/events.ts'
  const text = readFileSync(join(root, source), 'utf8')
  const body = /export interface EventFacts \{\n(.*?)\n\}/s.exec(text)?.[1] ?? ''
  const sections = [...body.matchAll(/(?: {2}\/\*\* (.*?) \*\/\n)? {2}'([\w.]+)': (\{.*?\}|\{\n.*?\n {2}\})(?:\n|$)/gs)].map(
    ([, meaning, type, facts = '']) => {
      const fields = facts.replace(/^\{\s*|\s*\}$/g, '').split(/\n\s*|; (?![^{]*\}[^{]*$)/)
      const rows = fields.map((field) => {
        const at = field.indexOf(': ')
        return [
          `\`${field.slice(0, at)}\``,
          `\`${field
            .slice(at + 2)
            .replace(/;$/, '')
            .replaceAll('|', '\\|')}\``,
        ]
      })
      return [`## ${type}`, ...(meaning ? [meaning] : []), table(['fact', 'type'], rows)].join('\n\n')
    },
  )
  return page(
    'Events',
    source,
    [
      'What `GET /api/v1/events` streams (server-sent events; permission `events.read`), and what refreshes are made of.',
      'Each has `id`, `at` (UTC), `type`, `by` (the subject that caused it: `user:NAME`, `task:DAG/RUN/TASK#TRY`, `job:UUID`, `build:ID`, `revision:SERVICE/REVISION`, `system`) and `facts`.',
      'Beside them the stream has `refresh`: a whole refresh, as `GET /api/v1/refreshes/:id` answers it, each time it has changed.',
    ].join(' '),
    ...sections,
  )
}

if (import.meta.main)
  for (const [path, text] of Object.entries(referencePages())) {
    writeFileSync(join(root, path), text)
    console.log(path)
  }
