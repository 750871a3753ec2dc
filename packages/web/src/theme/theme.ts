/** Dark or light: what the system says, until somebody says otherwise here. */

export type Theme = 'light' | 'dark'

const KEY = 'daggerboard-theme'

export function savedTheme(): Theme | null {
  const saved = localStorage.getItem(KEY)
  return saved === 'light' || saved === 'dark' ? saved : null
}

export function applyTheme(theme: Theme | null): void {
  if (theme === null) delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

export const currentTheme = (): Theme => savedTheme() ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')

export function switchTheme(): Theme {
  const theme = currentTheme() === 'dark' ? 'light' : 'dark'
  localStorage.setItem(KEY, theme)
  applyTheme(theme)
  return theme
}
