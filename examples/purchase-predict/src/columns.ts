/** The columns of the primary table, and which of them the model sees. */

/** What the transform writes, in its order. */
export const PRIMARY_COLUMNS = {
  product_id: 'number',
  brand: 'text',
  price: 'number',
  user_id: 'number',
  user_session: 'text',
  purchased: 'number',
  num_views_session: 'number',
  num_views_product: 'number',
  category: 'text',
  sub_category: 'text',
  hour: 'number',
  minute: 'number',
  weekday: 'number',
  duration: 'number',
  num_prev_sessions: 'number',
  num_prev_product_views: 'number',
} as const satisfies Record<string, 'number' | 'text'>

/** What the model sees, in the order in which it sees it. */
export const FEATURES = [
  'product_id',
  'brand',
  'price',
  'num_views_session',
  'num_views_product',
  'category',
  'sub_category',
  'hour',
  'minute',
  'weekday',
  'duration',
  'num_prev_sessions',
  'num_prev_product_views',
] as const

/** Those of the features that are texts and get a code each. */
export const CATEGORIES = ['category', 'sub_category', 'brand'] as const

export const LABEL = 'purchased'

/** Rows of one session never stand on both sides of a split: they share what the session knows. */
export const GROUP = 'user_session'
