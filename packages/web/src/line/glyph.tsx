/** The sign of a state: a shape of its own for each, so that nobody needs to tell colours apart. */
import './glyph.css'

const SHAPES = {
  waiting: <circle cx="12" cy="12" r="6.5" className="hollow" />,
  queued: <circle cx="12" cy="12" r="6.5" className="hollow" />,
  running: (
    <>
      <circle cx="12" cy="12" r="9" className="ring" />
      <path d="M12 3a9 9 0 0 1 9 9" className="sweep" />
      <circle cx="12" cy="12" r="3.6" className="core" />
    </>
  ),
  success: (
    <>
      <circle cx="12" cy="12" r="10" className="solid" />
      <path d="M7.4 12.4l3.1 3.1 6.2-6.8" className="mark" />
    </>
  ),
  failed: (
    <>
      <path d="M7.9 1.8h8.2l6.1 6.1v8.2l-6.1 6.1H7.9l-6.1-6.1V7.9z" className="solid" />
      <path d="M8.4 8.4l7.2 7.2M15.6 8.4l-7.2 7.2" className="mark" />
    </>
  ),
  cancelled: (
    <>
      <rect x="3" y="3" width="18" height="18" rx="3" className="solid" />
      <path d="M7.5 12h9" className="mark" />
    </>
  ),
  skipped: <circle cx="12" cy="12" r="5.5" className="hollow dashed" />,
} as const

export type GlyphState = keyof typeof SHAPES

export function Glyph({ state, size = 24 }: { state: GlyphState; size?: number }) {
  return (
    <svg className={`glyph glyph-${state}`} viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      {SHAPES[state]}
    </svg>
  )
}
