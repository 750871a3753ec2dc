/** The platform behind this page, over its own HTTP doors and with the session cookie of the login. */
import { followLog } from './follow-log.ts'
import type { Account, Answer, Environment, Health, LogReader, LogSource, Platform, Watcher } from './platform.ts'
import { asPlatformError, PlatformError } from './platform.ts'
import { readAnswer } from './prediction.ts'
import { request, requestJson, sendJson } from './request.ts'
import { isScheduleOff, startRefresh } from './start-refresh.ts'
import { watchRefreshes } from './watch-refreshes.ts'

const REGION = 'us-central1'

export class HttpPlatform implements Platform {
  readonly cannedName = null
  #project = ''

  async account(): Promise<Account | null> {
    try {
      return this.#remember(await requestJson<Account>('/auth/me'))
    } catch (error) {
      if (error instanceof PlatformError && error.status === 401) return null
      throw error
    }
  }

  async login(name: string, password: string): Promise<Account> {
    await sendJson('/auth/login', { name, password })
    return this.#remember(await requestJson<Account>('/auth/me'))
  }

  async logout(): Promise<void> {
    await request('/auth/logout', { method: 'POST' })
  }

  watch(watcher: Watcher): () => void {
    return watchRefreshes(watcher)
  }

  followLog(source: LogSource, reader: LogReader): Promise<void> {
    return followLog(this.#logPath(source), reader)
  }

  isScheduleOff(environment: Environment): Promise<boolean> {
    return isScheduleOff(environment)
  }

  startRefresh(environment: Environment): Promise<string> {
    return startRefresh(environment)
  }

  async health(service: string, signal: AbortSignal): Promise<Health> {
    try {
      const { model } = await requestJson<Partial<Health>>(`/services/${encodeURIComponent(service)}/health`, { signal })
      return { model: model?.version ? { name: String(model.name), version: String(model.version) } : null, problem: null }
    } catch (error) {
      return { model: null, problem: asPlatformError(error).message }
    }
  }

  async predict(service: string, row: Readonly<Record<string, unknown>>): Promise<Answer> {
    const began = performance.now()
    const answer = await sendJson(`/services/${encodeURIComponent(service)}/predict`, row)
    return { ...readAnswer(answer), milliseconds: performance.now() - began }
  }

  #remember(account: Account): Account {
    this.#project = account.project
    return account
  }

  #logPath(source: LogSource): string {
    const part = encodeURIComponent
    switch (source.kind) {
      case 'task':
        return `/api/v2/dags/${part(source.dagId)}/dagRuns/${part(source.runId)}/taskInstances/${part(source.taskId)}/logs/${source.tryNumber}`
      case 'build':
        return `/v1/projects/${part(this.#project)}/builds/${part(source.buildId)}/log?follow=true`
      case 'revision':
        return `/v2/projects/${part(this.#project)}/locations/${REGION}/services/${part(source.service)}/revisions/${part(source.revision)}/log`
    }
  }
}
