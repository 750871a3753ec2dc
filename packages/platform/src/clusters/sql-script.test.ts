import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toEngineSql } from '../adapters/duckdb/spark-dialect.ts'
import type { AppError } from '../core/app-error.ts'
import { parseScript } from './sql-script.ts'

/** The engine's words for a script of one query. */
const translated = (sql: string, variables: Record<string, string> = {}) => {
  const [statement] = parseScript(sql, variables)
  assert.ok(statement && 'query' in statement)
  return toEngineSql(statement.query)
}
const problems = (sql: string, variables: Record<string, string> = {}): readonly string[] => {
  try {
    parseScript(sql, variables)
  } catch (error) {
    return (error as AppError).problems.length > 0 ? (error as AppError).problems : [(error as Error).message]
  }
  return []
}
const variable = (name: string) => `\${${name}}`

describe('a Spark SQL script', () => {
  it('is read statement by statement, comments and quotes and all', () => {
    const kinds = parseScript(
      `SET TIME ZONE 'UTC'; -- a ; in a comment
       CREATE OR REPLACE TEMP VIEW v AS SELECT ';' AS s; /* ; */
       CACHE TABLE t AS WITH x AS (SELECT 1) SELECT * FROM x;
       CREATE TEMPORARY VIEW e USING bigquery OPTIONS (table 'p.d.t');
       SELECT 1;`,
      {},
    ).map(({ kind, line }) => [kind, line])
    assert.deepEqual(kinds, [
      ['setTimeZone', 1],
      ['createView', 2],
      ['cacheTable', 3],
      ['readTable', 4],
      ['select', 5],
    ])
  })

  it('keeps the value of a variable inside of its quotes', () => {
    assert.equal(
      translated(`SELECT '${variable('a')}', "${variable('a')}"`, { a: `it's "x"; DROP TABLE t` }),
      `SELECT 'it''s "x"; DROP TABLE t', 'it''s "x"; DROP TABLE t'`,
    )
    assert.equal(
      translated(`SELECT * FROM ${variable('t')} LIMIT ${variable('n')}`, { t: 'd.events', n: '10' }),
      'SELECT * FROM d.events LIMIT 10',
    )
    assert.match(problems(`SELECT ${variable('a')}`, { a: '1; DROP TABLE t' })[0] ?? '', /Line 1: the value of .* needs quotes/)
  })

  it('keeps the value of a variable inside of the quotes of a filter', () => {
    const [view] = parseScript(`CREATE TEMP VIEW v USING bigquery OPTIONS (table 't', filter "day >= '${variable('d')}'")`, {
      d: "x' OR '1'='1",
    })
    assert.ok(view?.kind === 'readTable')
    assert.equal(view.filter, "day >= 'x'' OR ''1''=''1'")
    assert.match(
      problems(`CREATE TEMP VIEW v USING bigquery OPTIONS (table 't', filter "n > ${variable('d')}")`, { d: '1' })[0] ?? '',
      /in the filter needs quotes/,
    )
  })

  it('says which variable has no value', () => {
    assert.match(
      problems(`SELECT '${variable('strat')}'`, { start: 'x' })[0] ?? '',
      /Line 1: the variable \$\{strat\} has no value.*Did you mean "start"\?/,
    )
  })

  it("says Spark's quotes and operators in the engine's words", () => {
    assert.equal(
      translated("SELECT `a b`, \"text\", 'it\\'s', a <=> b, a == b FROM t"),
      `SELECT "a b", 'text', 'it''s', a IS NOT DISTINCT FROM b, a = b FROM t`,
    )
  })

  it("writes and reads CSV with Spark's defaults, and with the options that say otherwise", () => {
    const exact = `header 'true', escape '"', ignoreLeadingWhiteSpace 'false', ignoreTrailingWhiteSpace = 'FALSE'`
    const layouts = parseScript(
      `INSERT OVERWRITE DIRECTORY 'gs://b/f' USING csv SELECT 1;
       INSERT OVERWRITE DIRECTORY 'gs://b/f' USING csv OPTIONS (${exact}) SELECT 1;
       CREATE TEMP VIEW v (a INT) USING csv OPTIONS (path 'gs://b/f', header true);`,
      {},
    ).map((statement) => {
      if (statement.kind === 'writeFolder') return statement.layout
      return statement.kind === 'readFiles' && statement.format.name === 'csv' && statement.format.layout
    })
    assert.deepEqual(layouts, [
      { header: false, escape: '\\', ignoreLeadingWhiteSpace: true, ignoreTrailingWhiteSpace: true },
      { header: true, escape: '"', ignoreLeadingWhiteSpace: false, ignoreTrailingWhiteSpace: false },
      { header: true, escape: '\\', ignoreLeadingWhiteSpace: false, ignoreTrailingWhiteSpace: false },
    ])
    const write = (option: string) => problems(`INSERT OVERWRITE DIRECTORY 'gs://b/f' USING csv OPTIONS (${option}) SELECT 1`)[0] ?? ''
    assert.match(write("sep ';'"), /^Line 1: the CSV option "sep" is not supported\. Use header, escape, ignoreLeadingWhiteSpace/)
    assert.match(write("escape '!'"), /the CSV option "escape" is "!"/)
    assert.match(write("header 'yes'"), /the CSV option "header" is "yes"\. Write 'true' or 'false'\./)
    const read = problems("CREATE TEMP VIEW v (a INT) USING csv OPTIONS (path 'gs://b/f', multiLine 'true')")[0] ?? ''
    assert.match(read, /the CSV option "multiline" is not supported\. Use header, escape\./)
  })

  it('is refused as a whole, with every line that cannot be run', () => {
    const script = [
      'SELECT 1',
      'DROP TABLE x',
      "SET TIME ZONE 'Europe/Paris'",
      'SELECT a[0] FROM t',
      "CREATE TEMP VIEW v USING orc OPTIONS (path 'x')",
    ].join(';\n')
    const expected = [
      /^Line 2: "DROP TABLE x" is not supported/,
      /^Line 3: the time zone "Europe\/Paris" is not supported/,
      /^Line 4: subscripts count from 0 in Spark/,
      /^Line 5: views USING orc are not supported/,
    ]
    const found = problems(script)
    assert.equal(found.length, expected.length)
    for (const [i, pattern] of expected.entries()) assert.match(found[i] ?? '', pattern)
    assert.match(problems("SELECT 'open")[0] ?? '', /Line 1: the quote ' is never closed/)
    assert.match(problems('-- nothing')[0] ?? '', /no statement/)
  })
})
