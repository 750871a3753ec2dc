/** How the sum of the trees becomes the answer, for each of LightGBM's objectives with one output. */

const identity = (score: number): number => score

/** The link function of an objective line such as `binary sigmoid:1`; undefined for one that this library has not. */
export function linkOf(objective: string): ((score: number) => number) | undefined {
  const [name = '', ...options] = objective.split(' ')
  switch (name) {
    case 'binary': {
      const sigmoid = Number(options.find((option) => option.startsWith('sigmoid:'))?.slice('sigmoid:'.length) ?? 1)
      return (score) => 1 / (1 + Math.exp(-sigmoid * score))
    }
    case 'cross_entropy':
      return (score) => 1 / (1 + Math.exp(-score))
    case 'poisson':
    case 'gamma':
    case 'tweedie':
      return Math.exp
    case 'regression':
      return options.includes('sqrt') ? (score) => Math.sign(score) * score * score : identity
    // No objective: one of the user's own was trained for, so the raw sum is the answer.
    case '':
    case 'regression_l1':
    case 'huber':
    case 'fair':
    case 'quantile':
    case 'mape':
    case 'lambdarank':
    case 'rank_xendcg':
      return identity
    default:
      return undefined
  }
}
