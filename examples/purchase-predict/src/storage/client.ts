/** The one place that decides which Cloud Storage is meant: an embedded one with its token, or Google's. */
import { EventEmitter } from 'node:events'
import { Storage } from '@google-cloud/storage'
import { OAuth2Client } from 'google-auth-library'

// A download of the client puts eleven listeners on one stream. That is no leak, but Node warns from the eleventh on.
EventEmitter.defaultMaxListeners = 20

/**
 * With STORAGE_EMULATOR_HOST set, the storage there, by the token in DAGGERBOARD_TOKEN; else Google's own with the
 * application's default credentials.
 */
export function storageClient(variables: NodeJS.ProcessEnv = process.env): Storage {
  const endpoint = variables.STORAGE_EMULATOR_HOST
  if (!endpoint) return new Storage()
  const token = variables.DAGGERBOARD_TOKEN
  const projectId = variables.GOOGLE_CLOUD_PROJECT ?? 'daggerboard'
  if (!token) return new Storage({ apiEndpoint: endpoint, projectId })
  const authClient = new OAuth2Client()
  authClient.setCredentials({ access_token: token })
  return new Storage({ apiEndpoint: endpoint, projectId, authClient, useAuthWithCustomEndpoint: true })
}
