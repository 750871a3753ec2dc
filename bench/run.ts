/** `npm run bench -- NAME …`: runs `bench/NAME.ts` and prints its figures as one JSON object on the last line. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const [name, ...args] = process.argv.slice(2)
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => file.slice(0, -3))

if (!name || !known.includes(name)) {
  console.error(
    `${name ? `There is no bench "${name}".` : 'Which bench?'} Give one of: ${known.join(', ')}. For example: npm run bench -- ${known[0]}`,
  )
  process.exit(1)
}

const { run } = (await import(join(import.meta.dirname, `${name}.ts`))) as { run(args: string[]): Promise<object> }
console.log(JSON.stringify(await run(args)))
