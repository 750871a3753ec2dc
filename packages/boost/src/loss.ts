/** The losses that can be trained for: their gradients, their value and the best constant answer. */

import type { Objective } from './parameters.ts'

/** `scores` are raw answers before any link function. Gradients and hessians are of the loss by the score. */
export interface Loss {
  /** The constant score of least loss. */
  startingScore(label: Float64Array, weight: Float64Array | undefined): number
  fillGradients(
    scores: Float64Array,
    label: Float64Array,
    weight: Float64Array | undefined,
    gradients: Float32Array,
    hessians: Float32Array,
  ): void
  /** The weighted mean loss. */
  mean(scores: Float64Array, label: Float64Array, weight: Float64Array | undefined): number
}

/** Log loss over labels 0 and 1; a score is a log-odds. */
const binary: Loss = {
  startingScore(label, weight) {
    const share = Math.min(Math.max(weightedMean(label, weight), 1e-15), 1 - 1e-15)
    return Math.log(share / (1 - share))
  },
  fillGradients(scores, label, weight, gradients, hessians) {
    for (let row = 0; row < label.length; row++) {
      const probability = 1 / (1 + Math.exp(-(scores[row] as number)))
      const rowWeight = weight === undefined ? 1 : (weight[row] as number)
      gradients[row] = (probability - (label[row] as number)) * rowWeight
      hessians[row] = probability * (1 - probability) * rowWeight
    }
  },
  mean(scores, label, weight) {
    return meanOf(label.length, weight, (row) => {
      // log(1 + e^m) without overflow, where m is how far the score is on the wrong side.
      const wrong = label[row] === 1 ? -(scores[row] as number) : (scores[row] as number)
      return Math.max(wrong, 0) + Math.log1p(Math.exp(-Math.abs(wrong)))
    })
  },
}

/** Squared error. */
const regression: Loss = {
  startingScore: weightedMean,
  fillGradients(scores, label, weight, gradients, hessians) {
    for (let row = 0; row < label.length; row++) {
      const rowWeight = weight === undefined ? 1 : (weight[row] as number)
      gradients[row] = ((scores[row] as number) - (label[row] as number)) * rowWeight
      hessians[row] = rowWeight
    }
  },
  mean(scores, label, weight) {
    return meanOf(label.length, weight, (row) => ((scores[row] as number) - (label[row] as number)) ** 2)
  },
}

export const LOSSES: Readonly<Record<Objective, Loss>> = { binary, regression }

function weightedMean(label: Float64Array, weight: Float64Array | undefined): number {
  return meanOf(label.length, weight, (row) => label[row] as number)
}

function meanOf(rows: number, weight: Float64Array | undefined, value: (row: number) => number): number {
  let sum = 0
  let total = 0
  for (let row = 0; row < rows; row++) {
    const rowWeight = weight === undefined ? 1 : (weight[row] as number)
    sum += rowWeight * value(row)
    total += rowWeight
  }
  return sum / total
}
