/** Front door of the settings: every one of them with its name, default and meaning, and how they are read. */
export { type DescribedSetting, describeSettings } from './settings/describe.ts'
export { longVariable, ROOT, SETTINGS, type SettingName } from './settings/known-settings.ts'
export { type InspectedSettings, inspectSettings, readSettings, type Settings, type SettingsOptions } from './settings/read-settings.ts'
