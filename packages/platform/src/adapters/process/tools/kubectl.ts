/** `kubectl`: there is no Kubernetes cluster behind the process driver, and this says so. */
import { AppError } from '../../../core/app-error.ts'
import type { Command, Tool } from './command.ts'

const VERBS = ['apply', 'get', 'create', 'delete', 'set', 'rollout', 'describe', 'config', 'logs', 'exec', 'patch', 'scale', 'version']

const refused = (verb: string): Command => ({
  path: [verb],
  positionals: { minimum: 0, names: 'anything' },
  flags: {},
  // Whatever its flags say, the answer is the same.
  stopsAtPositional: true,
  run: async () => {
    throw new AppError(
      'unavailable',
      `"kubectl ${verb}" cannot run: no Kubernetes cluster is connected. Deploy with "gcloud run deploy SERVICE --image IMAGE" instead, ` +
        'or run this step with the container driver and the real kubectl against a cluster of yours.',
    )
  },
})

export const kubectl: Tool = {
  name: 'kubectl',
  commands: VERBS.map(refused),
  flags: { namespace: { kind: 'string', short: 'n', ignored: true }, filename: { kind: 'string', short: 'f', ignored: true } },
}
