/** `gcloud source repos`: clone, create, list, describe, over git's own protocol and the Source Repositories API. */
import { spawn } from 'node:child_process'
import { AppError } from '../../../core/app-error.ts'
import type { Command, Invocation } from './command.ts'

const reposPath = (project: string): string => `/v1/projects/${encodeURIComponent(project)}/repos`

export const sourceCommands: readonly Command[] = [
  {
    path: ['source', 'repos', 'clone'],
    positionals: { minimum: 1, maximum: 2, names: 'a repository and, if you like, a folder' },
    flags: {},
    run: clone,
  },
  {
    path: ['source', 'repos', 'create'],
    positionals: { minimum: 1, maximum: 1, names: 'the name of the repository' },
    flags: {},
    run: async ({ endpoint, project, positionals: [name = ''], say }) => {
      await endpoint.json(reposPath(project), { method: 'POST', json: { name: `projects/${project}/repos/${name}` } })
      say(`Created [${name}].`)
      return 0
    },
  },
  {
    path: ['source', 'repos', 'list'],
    flags: { format: { kind: 'string' } },
    run: async ({ endpoint, project, flags, print }) => {
      const { repos = [] } = await endpoint.json<{ repos?: { name: string; url: string }[] }>(reposPath(project))
      if (flags.string('format') === 'json') print(JSON.stringify(repos, null, 2))
      else for (const { name, url } of repos) print(`${name.split('/').at(-1)}  ${project}  ${url}`)
      return 0
    },
  },
  {
    path: ['source', 'repos', 'describe'],
    positionals: { minimum: 1, maximum: 1, names: 'the name of the repository' },
    flags: { format: { kind: 'string', ignored: true } },
    run: async ({ endpoint, project, positionals: [name = ''], print }) => {
      print(JSON.stringify(await endpoint.json(`${reposPath(project)}/${encodeURIComponent(name)}`), null, 2))
      return 0
    },
  },
]

/** The token goes to git through its environment, so that it is neither among the arguments nor kept in the clone. */
async function clone({
  endpoint,
  project,
  positionals: [name = '', folder],
  environment,
  directory,
  signal,
  say,
}: Invocation): Promise<number> {
  const url = `${endpoint.url}/p/${encodeURIComponent(project)}/r/${encodeURIComponent(name)}`
  const target = folder ?? name
  if (target.startsWith('-')) throw new AppError('invalid', `"${target}" cannot be the folder to clone into.`)
  const child = spawn('git', ['clone', '--', url, target], {
    cwd: directory,
    stdio: 'inherit',
    signal,
    env: {
      ...environment,
      GIT_TERMINAL_PROMPT: '0',
      // The empty value forgets the header that a build's own configuration brings, which would else be sent twice.
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: `http.${endpoint.url}/.extraHeader`,
      GIT_CONFIG_VALUE_0: '',
      GIT_CONFIG_KEY_1: `http.${endpoint.url}/.extraHeader`,
      GIT_CONFIG_VALUE_1: `Authorization: Bearer ${endpoint.token}`,
    },
  })
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
  if (status === 0) say(`Project [${project}] repository [${name}] was cloned to [${target}].`)
  return status
}
