/** `daggerboard config …`: the settings of this machine, as a platform that starts here has them. */
import { AppError, didYouMean } from '../core/app-error.ts'
import { describeSettings } from '../settings.ts'
import { command, required, text } from './command.ts'

const list = command({
  name: 'list',
  summary: 'List all settings and where each value comes from',
  isLocal: true,
  options: { section: text('SECTION', 'only this section') },
  async run({ out, inspected }, { section }) {
    const all = describeSettings(inspected.settings)
    const sections = [...new Set(all.map((each) => each.section))]
    if (section !== undefined && !sections.includes(section))
      throw new AppError(
        'not_found',
        `There is no section "${section}".${didYouMean(section, sections)} There are: ${sections.join(', ')}.`,
      )
    const rows = all
      .filter((each) => section === undefined || each.section === section)
      .map((each) => ({ ...each, from: each.from ?? 'default' }))
    out.rows(rows, ['section', 'key', 'value', 'from'])
  },
})

const getValue = command({
  name: 'get-value',
  summary: 'Print the value of a setting',
  isLocal: true,
  args: { section: required('its section, such as core'), key: required('its name, such as parallelism') },
  async run({ out, inspected }, { section, key }) {
    const all = describeSettings(inspected.settings)
    const place = `${section}.${key}`
    const found = all.find((each) => `${each.section}.${each.key}` === place || each.aliases.includes(place))
    if (found) return out.done(found.value, found)
    const known = all.map((each) => `${each.section} ${each.key}`)
    throw new AppError(
      'not_found',
      `There is no setting [${section}] ${key}.${didYouMean(`${section} ${key}`, known)} See: daggerboard config list`,
    )
  },
})

const lint = command({
  name: 'lint',
  summary: 'Say everything that is wrong with the settings; status 1 if a platform would not start with them',
  isLocal: true,
  async run({ out, inspected }) {
    const { problems, settings } = inspected
    const { file, warnings } = settings.origin
    const found = [...problems.map((text) => ({ level: 'error', text })), ...warnings.map((text) => ({ level: 'warning', text }))]
    out.rows(found, ['level', 'text'], `The settings are in order (${file ?? 'no daggerboard.toml'}).`)
    return problems.length > 0 ? 1 : 0
  },
})

export const config = [list, getValue, lint]
