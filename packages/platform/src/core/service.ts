/** The shape of everything long-lived. */

/** `stop` is safe early and twice, and resolves when the work is done. */
export interface Service {
  start(): Promise<void>
  stop(): Promise<void>
}
