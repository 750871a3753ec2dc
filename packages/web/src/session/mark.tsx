/** The mark: a board let down through the waterline. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg className="mark-sign" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true">
      <path d="M2.5 9.5h19" stroke="var(--accent)" strokeWidth="2.2" strokeLinecap="round" />
      <path d="M9.2 3h5.6v12.2L12 21l-2.8-5z" fill="currentColor" />
    </svg>
  )
}
