/** What a build costs beside the work of its steps: a step that does nothing, a call of our gcloud, a nested build that is waited for. */
import type { Build } from '../packages/platform/src/builds/build.ts'
import { BuildPlatform } from '../packages/platform/test/build-platform.ts'

const NESTED = 'steps: [{name: bash, entrypoint: "true"}]'

/** `npm run bench -- step [STEPS]`: real processes, a real store, logs over HTTP; the platform is this process. */
export async function run([given = '50']: string[]): Promise<object> {
  const steps = Number(given)
  const platform = await BuildPlatform.start()
  const timed = async (count: number, command: string): Promise<number> => {
    const step = { name: 'bash', entrypoint: 'sh', args: ['-c', command] }
    const { build, log } = await platform.run({ steps: Array.from({ length: count }, () => step) })
    if (build.status !== 'SUCCESS') throw new Error(`The build ended as ${build.status}:\n${log}`)
    return millisecondsOf(build) / count
  }
  try {
    // The first one fills caches.
    await timed(1, 'true')
    const millisecondsPerStep = await timed(steps, 'true')
    const gcloudCalls = Math.max(1, Math.round(steps / 10))
    const perCall = await timed(gcloudCalls, 'gcloud builds list --limit=1')
    const perNested = await timed(
      gcloudCalls,
      `echo '${NESTED}' > cloudbuild.yaml; gcloud builds submit --no-source --config cloudbuild.yaml`,
    )
    return {
      steps,
      gcloudCalls,
      millisecondsPerStep,
      millisecondsPerGcloudCall: perCall - millisecondsPerStep,
      nestedBuildMilliseconds: perNested - millisecondsPerStep,
    }
  } finally {
    await platform.stop()
  }
}

function millisecondsOf({ timing }: Build): number {
  const { startTime = '', endTime = '' } = timing?.BUILD ?? {}
  return Date.parse(endTime) - Date.parse(startTime)
}
