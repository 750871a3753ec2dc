/** Reads the Markdown files of this repository: their links, their code blocks, and what the comments above these blocks ask for. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

export interface Block {
  /** `docs/guides/operate.md:12`, for messages. */
  readonly place: string
  readonly language: string
  readonly text: string
  /** Of the comments right above: `<!-- run -->` is `run`, `<!-- file: a.ts -->` is `file` with the value `a.ts`. */
  readonly marks: ReadonlyMap<string, string>
}

export interface Page {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
}

const MARKS = ['run', 'prints', 'file', 'unchecked'] as const

/** Every Markdown file that git knows or would take in. */
export function pages(): Page[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  return listed
    .split('\n')
    .filter(Boolean)
    .sort()
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, blocks: blocksOf(path, text) }
    })
}

export const guides = (): Page[] => pages().filter(({ path }) => path.startsWith('docs/guides/'))

/** Throws for a block that is not closed, and for a mark that is unknown. */
function blocksOf(path: string, text: string): Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const [, fence, language = ''] = /^(`{3,})(\w*)/.exec(lines[i] ?? '') ?? []
    if (!fence) continue
    const end = lines.indexOf(fence, i + 1)
    const place = `${path}:${i + 1}`
    if (end < 0) throw new Error(`${place}: this block is not closed.`)
    blocks.push({ place, language, text: `${lines.slice(i + 1, end).join('\n')}\n`, marks: marksAbove(lines, i, place) })
    i = end
  }
  return blocks
}

function marksAbove(lines: readonly string[], index: number, place: string): Map<string, string> {
  const marks = new Map<string, string>()
  for (let i = index - 1; i >= 0; i--) {
    const [, name, value = ''] = /^<!-- ([\w-]+)(?:: (.*))? -->$/.exec(lines[i] ?? '') ?? []
    if (name === undefined) break
    if (!MARKS.some((mark) => mark === name)) throw new Error(`${place}: the mark "${name}" is unknown. There are: ${MARKS.join(', ')}.`)
    marks.set(name, value)
  }
  return marks
}

/** Targets of links and pictures, without those in code. */
export const linksOf = ({ text }: Page): string[] =>
  [
    ...text
      .replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '')
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g),
  ].map((match) => (match[1] ?? match[2]) as string)

/** The names that GitHub gives to headings. */
export const anchorsOf = (text: string): string[] =>
  [...text.replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )
