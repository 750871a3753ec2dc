/** `gcloud`: the commands that builds use, over the platform's HTTP doors. What is not here is refused by name. */
import { AppError } from '../../../core/app-error.ts'
import type { Command, Tool } from './command.ts'
import { storageCommands } from './copying.ts'
import { buildCommands } from './gcloud-builds.ts'
import { runCommands } from './gcloud-run.ts'
import { sourceCommands } from './gcloud-source.ts'
import { triggerCommands } from './gcloud-triggers.ts'

const PROPERTIES = ['project', 'run/region', 'compute/region', 'account'] as const

const settings: readonly Command[] = [
  {
    path: ['auth', 'print-access-token'],
    flags: {},
    run: async ({ endpoint, print }) => {
      print(endpoint.token)
      return 0
    },
  },
  {
    path: ['auth', 'configure-docker'],
    positionals: { minimum: 0, names: 'registries' },
    flags: {},
    // The docker beside this gcloud needs no helper.
    run: async ({ say }) => {
      say('Docker is configured already.')
      return 0
    },
  },
  {
    path: ['config', 'get-value'],
    positionals: { minimum: 1, maximum: 1, names: 'a property' },
    flags: {},
    run: async ({ positionals: [property = ''], project, environment, print }) => {
      const values: Record<(typeof PROPERTIES)[number], string | undefined> = {
        project,
        'run/region': environment.CLOUDSDK_RUN_REGION,
        'compute/region': environment.CLOUDSDK_COMPUTE_REGION ?? environment.CLOUDSDK_RUN_REGION,
        account: undefined,
      }
      const name = property.replace(/^core\//, '')
      if (!Object.hasOwn(values, name))
        throw new AppError('invalid', `The property "${property}" is not known here. There are: ${PROPERTIES.join(', ')}.`)
      print(values[name as (typeof PROPERTIES)[number]] ?? '(unset)')
      return 0
    },
  },
]

export const gcloud: Tool = {
  name: 'gcloud',
  commands: [
    ...buildCommands,
    ...triggerCommands,
    ...sourceCommands,
    ...runCommands,
    ...storageCommands(['storage'], { recursive: { kind: 'boolean', short: 'r' } }),
    ...settings,
  ],
  flags: {
    project: { kind: 'string' },
    quiet: { kind: 'boolean', short: 'q', ignored: true },
    verbosity: { kind: 'string', ignored: true },
    'user-output-enabled': { kind: 'boolean', ignored: true },
  },
}
