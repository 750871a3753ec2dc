/** The 32-bit FNV-1a hash of the code units of `text`: a whole number in [0, 2³²) that is always the same for the same text. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
