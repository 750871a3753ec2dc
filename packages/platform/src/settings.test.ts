import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { AppError } from './core/app-error.ts'
import { describeSettings, inspectSettings, readSettings } from './settings.ts'

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

test('without any environment the platform has a home, a port and a project', () => {
  const settings = readSettings({})
  assert.equal(settings.port, 8080)
  assert.match(settings.home, /\.daggerboard$/)
  assert.equal(settings.project, 'daggerboard')
  assert.equal(settings.parallelism, 32)
  assert.equal(settings.defaultTaskExecutionTimeoutSeconds, null)
})

test('all that is wrong with the settings is said at once, with the name that was probably meant', () => {
  assert.throws(
    () =>
      readSettings({ DAGGERBOARD_PORT: 'eighty', DAGGERBOARD_HOM: '/x', DAGGERBOARD_ADMIN_PASSWORD: 'pssst', DAGGERBOARD_VAR_ANY: 'fine' }),
    (error: AppError) => {
      assert.equal(error.problems.length, 3)
      assert.match(error.problems.join('\n'), /DAGGERBOARD_PORT=eighty: must be a whole number/)
      assert.doesNotMatch(error.problems.join('\n'), /pssst/)
      assert.match(error.problems.join('\n'), /DAGGERBOARD_HOM is not a setting\. Did you mean "DAGGERBOARD_HOME"\?/)
      return true
    },
  )
})

test("a daggerboard.toml in the working directory gives settings under Airflow's names, and the environment goes before it", (t) => {
  const directory = folderWith(t, {
    'daggerboard.toml': `
[core]
dags_folder = "dags"
parallelism = 8
load_examples = false
fernet_key = ["new", "old"]
sensitive_var_conn_names = "pin, iban"
default_task_retry_delay = "5m"
[scheduler]
dag_dir_list_interval = 60
`,
  })
  const settings = readSettings({ DAGGERBOARD__CORE__PARALLELISM: '9' }, { directory })
  assert.equal(settings.dagsFolder, join(directory, 'dags'))
  assert.equal(settings.parallelism, 9)
  assert.equal(settings.loadExamples, false)
  assert.equal(settings.fernetKey, 'new,old')
  assert.deepEqual(settings.sensitiveNames, ['pin', 'iban'])
  assert.equal(settings.defaultTaskRetryDelaySeconds, 300)
  assert.equal(settings.dagRefreshSeconds, 60)
  const told = new Map(describeSettings(settings).map((setting) => [setting.name, setting]))
  assert.deepEqual([told.get('parallelism')?.source, told.get('parallelism')?.from], ['environment', 'DAGGERBOARD__CORE__PARALLELISM'])
  assert.equal(told.get('loadExamples')?.from, `${join(directory, 'daggerboard.toml')}:5`)
  assert.equal(told.get('fernetKey')?.value, '***')
  assert.deepEqual([told.get('port')?.source, told.get('port')?.value], ['default', '8080'])
})

test('the file in the home folder counts where the working directory has none, and a file that is named goes before both', (t) => {
  const home = folderWith(t, { 'daggerboard.toml': '[api]\nport = 1' })
  const directory = folderWith(t, { 'other.toml': 'api.port = 2' })
  assert.equal(readSettings({ DAGGERBOARD_HOME: home }, { directory }).port, 1)
  assert.equal(readSettings({ DAGGERBOARD_HOME: home, DAGGERBOARD_CONFIG: 'other.toml' }, { directory }).port, 2)
  assert.equal(readSettings({ DAGGERBOARD_HOME: home }, { directory, config: 'other.toml' }).port, 2)
  assert.match(inspectSettings({}, { directory, config: 'none.toml' }).problems[0] ?? '', /none\.toml is not there/)
})

test('unknown keys are problems with their line, and keys of Airflow that mean nothing here are warnings that say what does', (t) => {
  const directory = folderWith(t, {
    'daggerboard.toml': `parallelism = 1
[core]
executor = "LocalExecutor"
paralelism = 4
port = 80
max_map_length = { a = 1 }
dag_concurrency = 3
max_active_tasks_per_dag = 4

[celery]
broker_url = "redis://"
[scheduler]
scheduler_heartbeat_sec = 5
[scheduling]
x = 1
`,
  })
  const { problems, settings } = inspectSettings(
    { DAGGERBOARD__CORE__SQL_ALCHEMY_CONN: 'x', AIRFLOW__CORE__PARALLELISM: '3' },
    { directory },
  )
  const file = join(directory, 'daggerboard.toml')
  assert.deepEqual(problems, [
    `${file}:1: "parallelism" stands in no section. Write it below its section, such as [core].`,
    `${file}:4: [core] paralelism is not a setting. Did you mean "parallelism"?`,
    `${file}:5: [core] port is not a setting; it belongs into [api].`,
    `${file}:6: [core] max_map_length must be text, a number, true or false, or a list of them.`,
    `${file}:8: [core] max_active_tasks_per_dag is given already at ${file}:7. Keep one of the two.`,
    `${file}:15: There is no section [scheduling]. Did you mean "scheduler"?`,
  ])
  assert.deepEqual(
    settings.origin.warnings.map((warning) => warning.replace(file, '')),
    [
      'AIRFLOW__CORE__PARALLELISM is not read. Its name here would be DAGGERBOARD__CORE__PARALLELISM.',
      ":3: [core] executor is Airflow's and does nothing here. There is one: worker processes of the platform; see [core] parallelism.",
      ":11: [celery] broker_url is Airflow's and does nothing here. Tasks run in worker processes of the platform: see [workers] concurrency.",
      ":13: [scheduler] scheduler_heartbeat_sec is Airflow's and does nothing here. The scheduler turns when something has happened or is due.",
      "DAGGERBOARD__CORE__SQL_ALCHEMY_CONN is Airflow's and does nothing here. The store is part of the platform, in [platform] home.",
    ],
  )
})

test('a mistake in a section that Airflow has as well is an error, and a key of Airflow there is not', (t) => {
  const toml =
    '[api]\nprot = 8081\nhost = "0.0.0.0"\n[workers]\nconcurency = 4\nexecution_api_retries = 3\n[triggerer]\nqueues_enabled = true\n'
  const directory = folderWith(t, { 'daggerboard.toml': toml })
  const { problems, settings } = inspectSettings({ DAGGERBOARD__API__EXPOSE_CONFIGS: 'true' }, { directory })
  const file = join(directory, 'daggerboard.toml')
  assert.deepEqual(problems, [
    `${file}:2: [api] prot is not a setting. Did you mean "port"?`,
    `${file}:5: [workers] concurency is not a setting. Did you mean "concurrency"?`,
    'DAGGERBOARD__API__EXPOSE_CONFIGS is not a setting. Did you mean "DAGGERBOARD__API__EXPOSE_CONFIG"?',
  ])
  assert.deepEqual(
    settings.origin.warnings.map((warning) => /:(\d+): /.exec(warning)?.[1]),
    ['3', '6', '8'],
  )
})

test('a file that is not TOML is a problem with its line', (t) => {
  const directory = folderWith(t, { 'daggerboard.toml': '[core]\nparallelism == 3\n' })
  assert.match(inspectSettings({}, { directory }).problems.join(), /daggerboard\.toml:2: /)
})

test('a secret may come from a file, no command is ever run for it, and one setting has one place in the environment', (t) => {
  const directory = folderWith(t, { password: 'correct horse\n' })
  assert.equal(readSettings({ DAGGERBOARD_ADMIN_PASSWORD_FILE: 'password' }, { directory }).adminPassword, 'correct horse')
  const { problems } = inspectSettings(
    {
      DAGGERBOARD__CORE__FERNET_KEY_CMD: 'rm -rf /',
      DAGGERBOARD__PLATFORM__ADMIN_PASSWORD_FILE: 'gone',
      DAGGERBOARD_PORT: '1',
      DAGGERBOARD__API__PORT: '2',
    },
    { directory },
  )
  assert.match(problems[0] ?? '', /DAGGERBOARD__PLATFORM__ADMIN_PASSWORD_FILE=gone: the file cannot be read/)
  assert.equal(problems[1], 'DAGGERBOARD_PORT and DAGGERBOARD__API__PORT are the same setting. Keep one of the two.')
  assert.match(problems[2] ?? '', /commands are not run.*as DAGGERBOARD__CORE__FERNET_KEY_FILE\.$/)
})

test('a file with secrets that others can read is a warning, which tells none of them', (t) => {
  const directory = folderWith(t, { 'daggerboard.toml': '[core]\nfernet_key = "pssst"\nparallelism = 8' })
  const file = join(directory, 'daggerboard.toml')
  chmodSync(file, 0o644)
  assert.deepEqual(readSettings({}, { directory }).origin.warnings, [
    `${file} has [core] fernet_key, and others can read it. Run: chmod 600 ${file}`,
  ])
  chmodSync(file, 0o600)
  assert.deepEqual(readSettings({}, { directory }).origin.warnings, [])
})

test('a file that somebody else has put into the working directory is not read unless it is named', {
  skip: process.getuid?.() !== 0 && 'needs a second user',
}, (t) => {
  const directory = folderWith(t, { 'daggerboard.toml': '[core]\nparallelism = 8' })
  chmodSync(directory, 0o755)
  chownSync(join(directory, 'daggerboard.toml'), 12345, 12345)
  process.seteuid?.(54321)
  try {
    const { settings, problems } = inspectSettings({}, { directory })
    assert.match(problems.join(), /belongs to another user, and says which code is run/)
    assert.deepEqual([settings.parallelism, settings.origin.file], [32, null])
    assert.equal(readSettings({}, { directory, config: 'daggerboard.toml' }).parallelism, 8)
  } finally {
    process.seteuid?.(0)
  }
})
