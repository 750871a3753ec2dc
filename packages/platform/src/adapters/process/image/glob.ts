/** The patterns of COPY and of `.dockerignore`: Go's filepath.Match, and `**` for any depth. */

/** Matches a whole path with `/`; `*` and `?` stay inside of one segment. */
export function globPattern(glob: string): RegExp {
  const body = glob.replace(/\*\*\/|\*\*|\*|\?|\[[^\]]*\]|\\.|[\\^$.|+(){}]/g, (part) => {
    if (part === '**/') return '(?:[^/]+/)*'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.startsWith('[')) return part
    return part.length === 2 ? part.replace(/\\([a-z0-9])/i, '$1') : `\\${part}`
  })
  return new RegExp(`^${body}$`)
}

export const isGlob = (text: string): boolean => /[*?[]/.test(text)

/** Whether `.dockerignore` leaves a path out. A pattern that matches a folder takes all below it along; the last pattern that matches decides. */
export function dockerIgnore(text: string): (path: string) => boolean {
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const keeps = line.startsWith('!')
      const glob = line
        .replace(/^!\s*/, '')
        .replace(/^\.?\//, '')
        .replace(/\/+$/, '')
      return { keeps, pattern: globPattern(glob) }
    })
  return (path) => {
    const segments = path.split('/')
    const folders = segments.map((_, i) => segments.slice(0, i + 1).join('/'))
    let isIgnored = false
    for (const { keeps, pattern } of rules) if (folders.some((folder) => pattern.test(folder))) isIgnored = !keeps
    return isIgnored
  }
}
