/** What every command is given: the platform, where to write, whom to ask. */
import type { Duplex } from 'node:stream'
import type { InspectedSettings } from '../settings.ts'
import type { PlatformClient } from './client.ts'
import type { Host } from './host.ts'
import type { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

/** The world around a command: streams and environment of the process, or those of a test. */
export interface World {
  readonly stdin: NodeJS.ReadStream | Duplex
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal
  readonly host: Host
}

export interface Context extends World {
  /** Throws for a command that has said that it needs no platform. */
  readonly client: PlatformClient
  /** The address that was asked for; null: that of the home. */
  readonly endpoint: string | null
  /** The settings of this machine with what is wrong with them. A platform elsewhere has its own. */
  readonly inspected: InspectedSettings
  /** IANA name of the zone of dates that have none of their own. */
  readonly zone: string
  readonly out: Output
  /** Progress and asides, on the error stream: the output belongs to the answer. */
  readonly terminal: Terminal
  /** Resolves when the user agrees; throws when nobody can be asked, or the answer is no. */
  confirm(question: string, isAgreed: boolean): Promise<void>
}
