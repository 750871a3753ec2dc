/** Spark SQL in DuckDB: quotes and operators rewritten, and every function whose meaning differs defined with Spark's. */
import type { Query } from '../../clusters/sql-script.ts'
import { AppError } from '../../core/app-error.ts'

/** Spark sorts nulls first when ascending and last when descending. */
export const SPARK_CONFIG: Readonly<Record<string, string>> = { default_null_order: 'nulls_first_on_asc_last_on_desc' }

const joined = (count: number) => Array.from({ length: count }, (_, i) => `a${i}`)
/** Spark's `concat` of a null is null; DuckDB's leaves nulls out. */
const CONCAT = Array.from(
  { length: 12 },
  (_, i) =>
    `(${joined(i + 1).join(', ')}) AS ${joined(i + 1)
      .map((a) => `a${a.slice(1)}::VARCHAR`)
      .join(' || ')}`,
)

/** Run once in each engine. Names that DuckDB has too are shadowed, so their Spark meaning holds. */
export const SPARK_MACROS: readonly string[] = [
  // Monday is 0 (DuckDB: Sunday is 0).
  'CREATE MACRO weekday(t) AS (isodow(t) - 1)::INTEGER',
  // Sunday is 1 (DuckDB: Sunday is 0).
  'CREATE MACRO dayofweek(t) AS (isodow(t) % 7 + 1)::INTEGER',
  // The pattern is a regular expression (DuckDB: a plain text).
  'CREATE MACRO split(s, p) AS regexp_split_to_array(s, p)',
  'CREATE MACRO unix_timestamp(t) AS floor(epoch(t))::BIGINT',
  'CREATE MACRO datediff(later, earlier) AS (later::DATE - earlier::DATE)::INTEGER',
  // Logarithm of base e (DuckDB: base 10).
  'CREATE MACRO log(x) AS ln(x)',
  'CREATE MACRO nvl(a, b) AS coalesce(a, b)',
  'CREATE MACRO size(a) AS coalesce(len(a), -1)::INTEGER',
  'CREATE MACRO element_at(a, n) AS list_extract(a, n)',
  'CREATE MACRO collect_list(x) AS list(x) FILTER (x IS NOT NULL)',
  'CREATE MACRO raise_error(m) AS error(m)',
  "CREATE MACRO assert_true(c, m := 'assert_true failed') AS CASE WHEN c THEN NULL ELSE error(m) END",
  "CREATE MACRO current_timezone() AS 'UTC'",
  `CREATE MACRO concat ${CONCAT.join(', ')}`,
]

const OPERATORS: Readonly<Record<string, string>> = { '==': '=', '<=>': 'IS NOT DISTINCT FROM' }

/** DuckDB functions that read the machine instead of the query's tables; the engine's sandbox would stop them too. */
const FORBIDDEN = /^(?:read_\w+|glob|parquet_\w+|duckdb_\w+|pragma_\w+|sniff_csv|query|query_table|getvariable)$/i

/** The query in DuckDB's words. Throws `invalid` for functions that Spark does not have. */
export function toEngineSql(query: Query): string {
  return query
    .map((token, index) => {
      if (token.kind === 'string') return literal(token.value)
      if (token.kind === 'quoted') return identifier(token.value)
      if (token.kind === 'space') return ' '
      if (token.kind === 'symbol') return OPERATORS[token.value] ?? token.value
      if (token.kind === 'word' && FORBIDDEN.test(token.value) && query.slice(index + 1).find((t) => t.kind !== 'space')?.value === '(')
        throw new AppError(
          'invalid',
          `The function "${token.value}" does not exist in Spark SQL. Read files with CREATE TEMPORARY VIEW … USING csv or parquet.`,
        )
      return token.value
    })
    .join('')
    .trim()
}

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
