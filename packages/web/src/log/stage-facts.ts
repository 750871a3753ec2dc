/** What is known of a stage, for reading up close. */
import type { Stage } from '../api/platform.ts'
import { bytes, count, moment } from '../format.ts'

const NAMES: Readonly<Record<Stage['kind'], string>> = {
  interval: 'Data interval',
  cluster: 'Cluster',
  transform: 'Transform',
  build: 'Build',
  training: 'Search',
  model: 'Model version',
  image: 'Image',
  revision: 'Revision',
  traffic: 'Traffic',
}

export const nameOf = (stage: Stage): string =>
  stage.kind === 'build' && stage.repository ? `Build of ${stage.repository}` : NAMES[stage.kind]

export function factsOf(stage: Stage): [string, string][] {
  const facts: [string, string | null][] = [...ownFacts(stage), ['began', stage.startedAt && moment(stage.startedAt)]]
  return facts.filter((fact): fact is [string, string] => fact[1] !== null && fact[1] !== '')
}

function ownFacts(stage: Stage): [string, string | null][] {
  switch (stage.kind) {
    case 'interval':
      return [
        ['from', stage.start && moment(stage.start)],
        ['until', stage.end && moment(stage.end)],
      ]
    case 'cluster':
      return [
        ['name', stage.name],
        ['state', stage.clusterState],
      ]
    case 'transform':
      return [
        ['job', stage.jobId],
        ['events read', stage.inputRows === null ? null : count(stage.inputRows)],
        ['rows written', stage.outputRows === null ? null : count(stage.outputRows)],
      ]
    case 'build':
      return [
        ['id', stage.buildId],
        ['branch', stage.branch],
        ['commit', stage.commitSha],
        ['trigger', stage.trigger],
      ]
    case 'training':
      return [
        ['experiment', stage.experiment],
        ['run', stage.runId],
        ...Object.entries(stage.metrics).map(([name, value]): [string, string] => [name, value.toFixed(4)]),
      ]
    case 'model':
      return [
        ['name', stage.name],
        ['version', stage.version],
        ['stage', stage.stage],
        ...Object.entries(stage.metrics).map(([name, value]): [string, string] => [name, value.toFixed(4)]),
      ]
    case 'image':
      return [
        ['repository', stage.repository],
        ['tag', stage.tag],
        ['digest', stage.digest],
        ['size', stage.bytes === null ? null : bytes(stage.bytes)],
      ]
    case 'revision':
      return [
        ['service', stage.service],
        ['revision', stage.revision],
        ['state', stage.revisionState],
      ]
    case 'traffic':
      return [
        ['service', stage.service],
        ['revision', stage.revision],
        ['share', `${stage.percent ?? 0} %`],
        ['address', stage.url],
      ]
  }
}
