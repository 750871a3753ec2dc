/** A dataset that lives as long as the run. */
import { PipelineError } from '../pipeline-error.ts'
import type { Dataset } from './dataset.ts'

export class MemoryDataset implements Dataset {
  #value: unknown
  #isSet = false

  constructor(...value: [] | [unknown]) {
    this.#isSet = value.length > 0
    this.#value = value[0]
  }

  async load(): Promise<unknown> {
    if (!this.#isSet) throw new PipelineError('nothing has been saved in memory yet')
    return this.#value
  }

  async save(value: unknown): Promise<void> {
    this.#value = value
    this.#isSet = true
  }

  async exists(): Promise<boolean> {
    return this.#isSet
  }

  describe(): string {
    return 'memory'
  }
}
