/** Which images the process driver can honour with this machine's own programs, and what their entrypoint is. The image is not run: only its name counts. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

interface Family {
  readonly pattern: RegExp
  /** What runs when a step names no entrypoint; null when its first argument is the program. */
  readonly entrypoint: string | null
  /** Must be on this machine. */
  readonly needs?: string
  /** Runs the arguments when the first one is not a program (`node:24` with `args: ['build.js']`). */
  readonly fallback?: string
}

const builder = (name: string, entrypoint = name): Family => ({
  pattern: new RegExp(`^gcr\\.io/cloud-builders/${name}(:|@|$)`),
  entrypoint,
  needs: entrypoint,
})

const FAMILIES: readonly Family[] = [
  ...['git', 'gcloud', 'gsutil', 'docker', 'kubectl', 'npm', 'yarn', 'curl', 'wget'].map((name) => builder(name)),
  { pattern: /^node(:|@|$)/, entrypoint: null, fallback: 'node' },
  { pattern: /^python(:|@|$)/, entrypoint: null, fallback: 'python3', needs: 'python3' },
  { pattern: /^golang(:|@|$)/, entrypoint: null, needs: 'go' },
  { pattern: /^bash(:|@|$)/, entrypoint: null, fallback: 'bash', needs: 'bash' },
  { pattern: /^(debian|ubuntu|alpine|busybox)(:|@|$)/, entrypoint: null },
  { pattern: /^docker(:|@|$)/, entrypoint: null, fallback: 'docker' },
  { pattern: /^alpine\/git(:|@|$)/, entrypoint: 'git' },
  { pattern: /^(gcr\.io\/google\.com\/cloudsdktool\/|google\/)(google-)?cloud-(sdk|cli)(:|@|$)/, entrypoint: null },
]

/** Tools that the driver itself puts into every build's PATH. */
export const OWN_TOOLS: readonly string[] = ['gcloud', 'gsutil', 'docker', 'kubectl']

const familyOf = (image: string): Family | undefined => {
  const short = image.replace(/^(mirror\.gcr\.io\/|index\.docker\.io\/|docker\.io\/)?(library\/)?/, '')
  return FAMILIES.find(({ pattern }) => pattern.test(short))
}

/** Why the image cannot be honoured; null when it can. */
export function imageProblem(image: string, path: string): string | null {
  const family = familyOf(image)
  if (!family)
    return `The image "${image}" cannot be run by the process driver, which runs steps with this machine's own programs. Run it with the container driver.`
  if (family.needs && !OWN_TOOLS.includes(family.needs) && !isProgram(family.needs, path))
    return `The image "${image}" stands for "${family.needs}", which this machine does not have. Install it, or run the step with the container driver.`
  return null
}

/** The program and its arguments, as the image's own entrypoint would have it. */
export function commandOf(
  { name, entrypoint, args = [] }: { name: string; entrypoint?: string; args?: readonly string[] },
  path: string,
): { file: string; args: string[] } {
  if (entrypoint) return { file: entrypoint, args: [...args] }
  const family = familyOf(name)
  if (family?.entrypoint) return { file: family.entrypoint, args: [...args] }
  const [first = '', ...others] = args
  if (family?.fallback && !isProgram(first, path)) return { file: family.fallback, args: [...args] }
  return { file: first, args: others }
}

function isProgram(name: string, path: string): boolean {
  if (name === '' || name.startsWith('-')) return false
  const candidates = name.includes('/') ? [name] : path.split(delimiter).map((directory) => join(directory, name))
  return candidates.some((candidate) => {
    try {
      accessSync(candidate, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
