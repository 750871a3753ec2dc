/** Measures the same in several homes by turns, so that what the machine does meanwhile befalls all of them alike. */
import type { Figure } from './figures.ts'
import { MeasuredPlatform } from './platform.ts'

/** What is done to an empty home before its platform starts. */
export type Prepare = (home: string) => Promise<void>

/** Answers for each home what was measured in each round. */
export async function sideBySide(figure: Figure, homes: readonly (Prepare | undefined)[]): Promise<Record<string, number>[][]> {
  const { files, environment = {}, before, counted } = figure
  const platforms: MeasuredPlatform[] = []
  try {
    for (const prepare of homes) platforms.push(await MeasuredPlatform.start({ files, environment, ...(prepare && { prepare }) }))
    const rounds = platforms.map((): Record<string, number>[] => [])
    for (let round = 0; round < before + counted; round++) {
      for (const [i, platform] of platforms.entries()) {
        const found = await figure.measure(platform)
        if (round >= before) rounds[i]?.push(found)
      }
    }
    return rounds
  } finally {
    for (const platform of platforms) await platform.remove()
  }
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
