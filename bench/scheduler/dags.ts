/** The DAG files that the measurements run. */

const HEAD = "import { dag } from '@daggerboard/dag'\n"

/** Naive recursion, as in the published comparisons of workflow engines. */
const LIGHT = 'const fibo = (n) => (n < 2 ? n : fibo(n - 1) + fibo(n - 2))\nconst light = async () => fibo(10)\n'

/** Tasks one after the other. */
export const chain = (dagId: string, length: number, options = '{}'): string =>
  `${HEAD}${LIGHT}export default dag('${dagId}', ${options}, ({ task }) => {
  let before = []
  for (let i = 0; i < ${length}; i++) before = [task('t' + i, light, { dependsOn: before })]
})
`

/** Tasks side by side. */
export const wide = (dagId: string, width: number, options: string): string =>
  `${HEAD}${LIGHT}export default dag('${dagId}', ${options}, ({ task }) => {
  for (let i = 0; i < ${width}; i++) task('t' + i, light)
})
`

/** Tasks side by side that only wait. */
export const sleepers = (dagId: string, width: number, milliseconds: number, options: string): string =>
  `${HEAD}import { setTimeout as sleep } from 'node:timers/promises'
export default dag('${dagId}', ${options}, ({ task }) => {
  for (let i = 0; i < ${width}; i++) task('t' + i, async () => void (await sleep(${milliseconds})))
})
`
