/** The thirteen features that a deployed purchase_predict reads, in its order, and a row to begin with. */

export interface Feature {
  readonly name: string
  readonly kind: 'text' | 'integer' | 'number'
  readonly example: string
  readonly unit?: string
  /** What people have typed before, as far as the data knows. */
  readonly suggestions?: readonly string[]
}

export const FEATURES: readonly Feature[] = [
  {
    name: 'category',
    kind: 'text',
    example: 'electronics',
    suggestions: ['electronics', 'appliances', 'computers', 'apparel', 'furniture'],
  },
  { name: 'sub_category', kind: 'text', example: 'smartphone', suggestions: ['smartphone', 'audio', 'video', 'kitchen', 'notebook'] },
  { name: 'brand', kind: 'text', example: 'samsung', suggestions: ['samsung', 'apple', 'xiaomi', 'huawei', 'lg'] },
  { name: 'price', kind: 'number', example: '254.82' },
  { name: 'product_id', kind: 'integer', example: '1004856' },
  { name: 'duration', kind: 'number', example: '214', unit: 'seconds' },
  { name: 'num_views_session', kind: 'integer', example: '6' },
  { name: 'num_views_product', kind: 'integer', example: '3' },
  { name: 'num_prev_sessions', kind: 'integer', example: '1' },
  { name: 'num_prev_product_views', kind: 'integer', example: '0' },
  { name: 'weekday', kind: 'integer', example: '1', unit: 'Monday is 0' },
  { name: 'hour', kind: 'integer', example: '14', unit: 'UTC' },
  { name: 'minute', kind: 'integer', example: '36' },
]

/** What the form holds as the API wants it: numbers as numbers; an empty field is missing. Text where a number belongs goes as it is, for the API to say so. */
export function rowOf(fields: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(FEATURES.map(({ name, kind }) => [name, valueIn(fields[name] ?? '', kind)]))
}

function valueIn(text: string, kind: Feature['kind']): unknown {
  const trimmed = text.trim()
  if (trimmed === '') return null
  const number = Number(trimmed)
  return kind === 'text' || Number.isNaN(number) ? trimmed : number
}
