/** `gcloud builds triggers`: run, list, describe. */
import type { Command, Invocation } from './command.ts'
import { followBuild, parentOf, type RemoteBuild } from './gcloud-builds.ts'

const one = { minimum: 1, maximum: 1, names: 'the name or id of a trigger' }
const path = (call: Invocation): string => `${parentOf(call)}/triggers/${encodeURIComponent(call.positionals[0] ?? '')}`

export const triggerCommands: readonly Command[] = [
  {
    path: ['builds', 'triggers', 'run'],
    positionals: one,
    flags: {
      region: { kind: 'string' },
      branch: { kind: 'string' },
      tag: { kind: 'string' },
      sha: { kind: 'string' },
      substitutions: { kind: 'map' },
      async: { kind: 'boolean' },
    },
    run: async (call) => {
      const { flags } = call
      const [branch, tag, sha] = [flags.string('branch'), flags.string('tag'), flags.string('sha')]
      const { metadata } = await call.endpoint.json<{ metadata: { build: RemoteBuild } }>(`${path(call)}:run`, {
        method: 'POST',
        json: {
          triggerId: call.positionals[0],
          source: {
            ...(branch ? { branchName: branch } : {}),
            ...(tag ? { tagName: tag } : {}),
            ...(sha ? { commitSha: sha } : {}),
            ...(flags.has('substitutions') ? { substitutions: Object.fromEntries(flags.map('substitutions')) } : {}),
          },
        },
      })
      // The real gcloud answers at once; so does this, and it says nothing about how the build ends.
      return followBuild({ ...call, flags: asynchronous(call) }, metadata.build)
    },
  },
  {
    path: ['builds', 'triggers', 'list'],
    flags: { region: { kind: 'string' }, format: { kind: 'string' } },
    run: async (call) => {
      const { triggers = [] } = await call.endpoint.json<{ triggers?: { id: string; name: string }[] }>(`${parentOf(call)}/triggers`)
      if (call.flags.string('format') === 'json') call.print(JSON.stringify(triggers, null, 2))
      else for (const { id, name } of triggers) call.print(`${name}  ${id}`)
      return 0
    },
  },
  {
    path: ['builds', 'triggers', 'describe'],
    positionals: one,
    flags: { region: { kind: 'string' }, format: { kind: 'string', ignored: true } },
    run: async (call) => {
      call.print(JSON.stringify(await call.endpoint.json(path(call)), null, 2))
      return 0
    },
  },
]

function asynchronous({ flags }: Invocation): Invocation['flags'] {
  flags.set('async', true)
  return flags
}
