/** Reads no faster than is good for the platform, so that whoever writes faster has to wait. */

/** So many characters are read, then the writer has to wait for so long: about 50 MB a second. */
const MOST_AT_ONCE = 1024 * 1024
const BREATH_MS = 20

/** To be told the length of all that is read from `source`. */
export function paced(source: { pause(): unknown; resume(): unknown }): (length: number) => void {
  let sum = 0
  return (length) => {
    sum += length
    if (sum < MOST_AT_ONCE) return
    sum = 0
    source.pause()
    setTimeout(() => source.resume(), BREATH_MS)
  }
}
