/** Front door of the settings: every one of them with its name, default and meaning, and how they are read. */
export { describeSettings } from './settings/describe.ts'
export { ROOT } from './settings/known-settings.ts'
export { type InspectedSettings, inspectSettings, readSettings, type Settings } from './settings/read-settings.ts'
