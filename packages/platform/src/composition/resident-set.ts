/** How much memory the process of a platform keeps, however long it works. */
import { Session } from 'node:inspector/promises'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** In percent of what is in use: so much garbage comes together before it is collected. V8 lets it be four times as much on a machine with memory to spare. */
const GARBAGE_PERCENT = 100
/** For what is new, in bytes. V8 doubles it whenever much of it outlives a collection, up to 128 MiB, and never gives it back to a platform that works. */
const YOUNG_BYTES = 32 * 1024 * 1024
const LOOK_AGAIN_MS = 1_000

/**
 * From now on the heap of this process is collected when it has grown to twice what is in use, and what it keeps for new objects stays as it is
 * once it is large enough. Collects once: how far the heap may grow follows from what is in use after a collection, and what was needed to
 * start is not needed any more.
 */
export async function boundHeap(lookAgainMs = LOOK_AGAIN_MS): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT}`)
  const session = new Session()
  session.connect()
  try {
    await session.post('HeapProfiler.collectGarbage')
  } finally {
    session.disconnect()
  }
  // A collection makes it small, and it grows again as it is needed.
  boundYoungSpace(lookAgainMs)
}

function boundYoungSpace(lookAgainMs: number): void {
  const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
  if (young >= YOUNG_BYTES) setFlagsFromString('--semi-space-growth-factor=1')
  else setTimeout(boundYoungSpace, lookAgainMs, lookAgainMs).unref()
}
