/** What the metrics of a model are called and which way is better; metrics that nobody here knows keep their own names. */

interface Metric {
  readonly label: string
  readonly meaning: string
  /** Of these less is better. */
  readonly isCost?: boolean
  readonly isShare?: boolean
}

const METRICS: Readonly<Record<string, Metric>> = {
  auc: { label: 'AUC', meaning: 'How well buyers are ranked above others on the test set: 0.5 is chance, 1 is perfect.' },
  logloss: { label: 'Log loss', meaning: 'How far the probabilities are from what happened.', isCost: true },
  f1: { label: 'F1', meaning: 'Balance of precision and recall at probability 0.5.' },
  champion_auc: { label: 'AUC of the one before', meaning: 'What the model now in the stage reaches on the same test rows.' },
  baseline_f1: { label: 'F1 of \u201calways buy\u201d', meaning: 'What a model without any knowledge reaches.' },
  average_precision: { label: 'Average precision', meaning: 'Area under the precision-recall curve.' },
  ece: { label: 'Calibration error', meaning: 'Mean distance of a probability from the share that it stands for.', isCost: true },
  brier: { label: 'Brier score', meaning: 'Mean squared error of the probabilities.', isCost: true },
  price_invariance: {
    label: 'Steady under price \u00b1 1',
    meaning: 'Share of rows whose probability hardly moves when the price moves by 1.',
    isShare: true,
  },
  duration_effect: { label: 'Effect of duration', meaning: 'How the probability moves when a visit lasts longer.' },
}

/** Told by the search already. */
const ELSEWHERE = new Set(['trial_auc'])
const COST = /loss|error|rmse|mae|brier|calibration/i

export interface ShownMetric extends Omit<Metric, 'isCost' | 'isShare'> {
  readonly name: string
  readonly value: number
  readonly isCost: boolean
  readonly text: string
}

/** The known ones first, in the order of their weight. */
export function shownMetrics(metrics: Readonly<Record<string, number>>): ShownMetric[] {
  const known = Object.keys(METRICS).filter((name) => name in metrics)
  const others = Object.keys(metrics).filter((name) => !(name in METRICS) && !ELSEWHERE.has(name))
  return [...known, ...others].map((name) => {
    const value = metrics[name] as number
    const { label = name, meaning = '', isCost = COST.test(name), isShare = false } = METRICS[name] ?? {}
    return { name, label, meaning, value, isCost, text: isShare ? `${(value * 100).toFixed(1)} %` : value.toFixed(4) }
  })
}
