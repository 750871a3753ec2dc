/** `npm run hub [PORT]`: the stand-in of the Engie hub as a program of its own, until Ctrl-C. */
import { startStandIn } from './stand-in.ts'

const DEFAULT_PORT = 8099

const port = Number(process.argv[2] ?? DEFAULT_PORT)
if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`"${process.argv[2]}" is no port. Give a number from 0 to 65535.`)
const { endpoint, close } = await startStandIn({ port })
console.log(`Made-up turbine data at ${endpoint}`)
process.once('SIGINT', close).once('SIGTERM', close)
