/** Which names tell of a secret: Airflow's list (that of 3.3), its normalisation, and what the settings add to it. */

/** Words that make a name sensitive when they occur anywhere in it (`DEFAULT_SENSITIVE_FIELDS` of Airflow 3.3). */
export const SENSITIVE_WORDS = [
  'access_key',
  'access_token',
  'api_key',
  'apikey',
  'auth_header',
  'authorization',
  'bearer',
  'connection_string',
  'dsn',
  'keyfile_dict',
  'passphrase',
  'passwd',
  'password',
  'private_key',
  'proxies',
  'proxy',
  'proxy_password',
  'secret',
  'service_account',
  'service_key',
  'token',
  'webhook_url',
] as const

export interface SensitiveNameSettings {
  /** More words (`sensitive_var_conn_names`). */
  readonly names?: readonly string[]
  /** False: no name tells of a secret; passwords of Connections stay hidden (`hide_sensitive_var_conn_fields`). Default true. */
  readonly hidesFields?: boolean
}

let words: readonly string[] = SENSITIVE_WORDS

/**
 * What counts from here on in this process. All that shows fields asks the same list, so that none can forget what the settings add;
 * composition sets it before anything is shown.
 */
export function setSensitiveNames({ names = [], hidesFields = true }: SensitiveNameSettings): void {
  const added = names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
  words = hidesFields ? [...SENSITIVE_WORDS, ...added] : []
}

export function isSensitiveName(name: string): boolean {
  const normal = name.trim().toLowerCase().replaceAll(/\W+/g, '_')
  return words.some((word) => normal.includes(word))
}
