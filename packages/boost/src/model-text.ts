/** Writes a model as LightGBM's text format v4, which LightGBM itself and every tool around it can read. */

import type { Tree } from './tree.ts'

/** A model as the text holds it. */
export interface Model {
  /** Such as `binary sigmoid:1`; empty when the model was trained for an objective of the user's own. */
  readonly objective: string
  readonly featureNames: readonly string[]
  /** Per feature `[min:max]`, `0:1:2` (categories) or `none`. */
  readonly featureInfos: readonly string[]
  readonly trees: readonly Tree[]
  /** The answer is the mean of the trees and not their sum (random forests). */
  readonly averageOutput: boolean
  /** The lines between `parameters:` and `end of parameters`. */
  readonly parameters: readonly string[]
}

/** The text of `model`. Numbers are written so that they read back exactly. */
export function modelText(model: Model): string {
  const blocks = model.trees.map(treeText)
  const header = [
    'tree',
    'version=v4',
    'num_class=1',
    'num_tree_per_iteration=1',
    'label_index=0',
    `max_feature_idx=${model.featureNames.length - 1}`,
    ...(model.objective === '' ? [] : [`objective=${model.objective}`]),
    ...(model.averageOutput ? ['average_output'] : []),
    `feature_names=${model.featureNames.join(' ')}`,
    `feature_infos=${model.featureInfos.join(' ')}`,
    // Readers jump by these sizes, which are bytes; a tree block is plain ASCII.
    `tree_sizes=${blocks.map((block) => block.length).join(' ')}`,
  ]
  const footer = [
    'end of trees',
    '',
    'feature_importances:',
    ...importanceLines(model),
    '',
    'parameters:',
    ...model.parameters,
    '',
    'end of parameters',
  ]
  return `${header.join('\n')}\n\n${blocks.join('')}${footer.join('\n')}\n\npandas_categorical:null\n`
}

function treeText(tree: Tree, index: number): string {
  const categorical =
    tree.catBoundaries.length > 0 ? [`cat_boundaries=${tree.catBoundaries.join(' ')}`, `cat_threshold=${tree.catThreshold.join(' ')}`] : []
  const isConstant = tree.leaves === 1
  return [
    `Tree=${index}`,
    `num_leaves=${tree.leaves}`,
    `num_cat=${Math.max(0, tree.catBoundaries.length - 1)}`,
    `split_feature=${tree.splitFeature.join(' ')}`,
    `split_gain=${tree.splitGain.join(' ')}`,
    `threshold=${tree.threshold.join(' ')}`,
    `decision_type=${tree.decisionType.join(' ')}`,
    `left_child=${tree.leftChild.join(' ')}`,
    `right_child=${tree.rightChild.join(' ')}`,
    `leaf_value=${tree.leafValue.join(' ')}`,
    `leaf_weight=${isConstant ? '' : tree.leafWeight.join(' ')}`,
    `leaf_count=${tree.leafCount.join(' ')}`,
    `internal_value=${tree.internalValue.join(' ')}`,
    `internal_weight=${tree.internalWeight.join(' ')}`,
    `internal_count=${tree.internalCount.join(' ')}`,
    ...categorical,
    'is_linear=0',
    `shrinkage=${tree.shrinkage}`,
    '',
    '',
    '',
  ].join('\n')
}

function importanceLines(model: Model): string[] {
  const splits = new Map<string, number>()
  for (const tree of model.trees) {
    for (const feature of tree.splitFeature) {
      const name = model.featureNames[feature] as string
      splits.set(name, (splits.get(name) ?? 0) + 1)
    }
  }
  return [...splits].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name}=${count}`)
}
