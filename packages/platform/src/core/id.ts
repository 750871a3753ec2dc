/** Identifiers. */
import { randomBytes, randomUUID } from 'node:crypto'

/** A version 4 UUID: builds, operations, jobs. */
export const newId = (): string => randomUUID()

/** `bytes` random bytes in lower-case hexadecimal: run ids of MLflow (16), short suffixes (3). */
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex')
