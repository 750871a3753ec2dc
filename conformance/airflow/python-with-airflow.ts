/** Pythons that have Airflow itself, the versions whose rules we hold ourselves against. Their classes are asked; nothing of them is started. */
import { join } from 'node:path'
import { pythonWith, pythonWithPinned } from '../python.ts'

export const pythonWithAirflow = (): Promise<string> => pythonWith(['apache-airflow-core==3.3.2'])

/** The last Airflow 2, with no more of its requirements than timetables, the tables of runs, and templates need. */
export const pythonWithAirflow2 = (): Promise<string> => pythonWithPinned(join(import.meta.dirname, 'airflow-2.11.txt'), '>=3.10,<3.13')
