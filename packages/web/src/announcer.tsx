/** Says aloud what has just changed on the line, for those who do not see it. */
import { useEffect, useRef, useState } from 'react'
import type { Refresh } from './api/platform.ts'
import { STATE_WORDS, stationsOf } from './line/stations.ts'

export function Announcer({ refresh }: { refresh: Refresh | null }) {
  const before = useRef<{ id: string; states: Map<string, string> } | null>(null)
  const [sentence, say] = useState('')
  useEffect(() => {
    if (!refresh) return
    const stations = stationsOf(refresh)
    const states = new Map(stations.map(({ key, state }) => [key, state as string]))
    states.set('refresh', refresh.state)
    const last = before.current
    before.current = { id: refresh.id, states }
    if (last?.id !== refresh.id) return
    const news = stations.filter(({ key, state }) => last.states.get(key) !== state && state !== 'waiting' && state !== 'skipped')
    const words = news.map(({ title, state }) => `${title} ${STATE_WORDS[state]}.`)
    if (last.states.get('refresh') !== refresh.state) words.push(`The refresh ${STATE_WORDS[refresh.state]}. ${refresh.reason ?? ''}`)
    if (words.length > 0) say(words.join(' '))
  }, [refresh])
  return (
    <p className="spoken" aria-live="polite">
      {sentence}
    </p>
  )
}
