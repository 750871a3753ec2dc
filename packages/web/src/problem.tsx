/** Something that did not work: the sentence that says what to do, and every single problem. */
import type { PlatformError } from './api/platform.ts'

export function Problem({ error }: { error: PlatformError }) {
  return (
    <div className="problem" role="alert">
      {error.message}
      {error.problems.length > 0 && (
        <ul>
          {error.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </div>
  )
}
