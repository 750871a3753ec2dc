/** Names for runs that were given none: an adjective, a noun of the sea, a number. */

const ADJECTIVES = [
  'bold',
  'brisk',
  'calm',
  'clear',
  'deft',
  'eager',
  'fair',
  'fleet',
  'keen',
  'merry',
  'nimble',
  'quiet',
  'ready',
  'steady',
  'swift',
  'trim',
]
const NOUNS = [
  'anchor',
  'bowline',
  'breeze',
  'compass',
  'cutter',
  'gull',
  'harbour',
  'helm',
  'keel',
  'lantern',
  'mast',
  'rudder',
  'sail',
  'sextant',
  'sloop',
  'tide',
]

export function randomRunName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)]
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${Math.floor(random() * 1000)}`
}
