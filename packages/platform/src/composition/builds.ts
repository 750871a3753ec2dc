/** Hosted repositories and the builds that come from them, behind git's own protocol and Cloud Build's. */
import { Git } from '../adapters/git/git.ts'
import { GitRepositoryStore } from '../adapters/git/repository.ts'
import { GitProcessTransport } from '../adapters/git/transport.ts'
import { FileBuildLog } from '../adapters/process/build-log.ts'
import { ProcessStepDriver } from '../adapters/process/step-driver.ts'
import { SqliteBuildStore } from '../adapters/sqlite/build.ts'
import { SqliteSeenRefsStore } from '../adapters/sqlite/push.ts'
import { SqliteTriggerStore } from '../adapters/sqlite/trigger.ts'
import type { VirtualObjects } from '../buckets/storage.ts'
import { BuildRunner } from '../builds/build-runner.ts'
import { Builds } from '../builds/builds.ts'
import { PushTriggers } from '../builds/push-triggers.ts'
import { cloudBuildDoor } from '../http/cloud-build/cloud-build-door.ts'
import { repositoryDoor } from '../http/git/repository.ts'
import { Pushes } from '../repositories/push.ts'
import type { Ground, Part } from './part.ts'

export interface BuildsPart extends Part {
  readonly pushes: Pushes
  /** The logs of builds that run, as objects of the log bucket. */
  readonly virtualObjects: VirtualObjects
}

export function composeBuilds(ground: Ground, mask: (text: string) => string): BuildsPart {
  const { db, home, clock, events, tokens, logger, settings } = ground
  const projectId = settings.project
  const endpoint = () => ground.endpoint
  const directory = home.folder('builds')

  const git = new Git({ directory: home.folder('repositories') })
  const repositories = new GitRepositoryStore(git)
  const pushes = new Pushes({ repositories, seen: new SqliteSeenRefsStore(db), events })

  const driver = new ProcessStepDriver({ directory, cacheDirectory: home.folder('cache'), endpoint, projectId, region: settings.region })
  const log = new FileBuildLog({ directory, endpoint, tokens, projectId })
  const [store, triggers] = [new SqliteBuildStore(db), new SqliteTriggerStore(db)]
  const runner = new BuildRunner({ store, driver, log, tokens, events, clock, logger, concurrency: settings.concurrentBuilds, mask })
  const builds = new Builds({ store, triggers, runner, repositories, clock })
  const pushTriggers = new PushTriggers({ builds, triggers, repositories, events, logger, projectId })

  return {
    doors: [
      cloudBuildDoor({ builds, triggers, runner, log, clock }),
      repositoryDoor({ repositories, transport: new GitProcessTransport(git), pushes, projectId }),
    ],
    // Pushes begin last: they tell what was missed, and somebody must listen.
    services: [runner, pushTriggers, pushes],
    lives: { build: (id) => runner.isRunning(id) },
    pushes,
    virtualObjects: (bucket, name) => log.virtualObject(bucket, name),
  }
}
