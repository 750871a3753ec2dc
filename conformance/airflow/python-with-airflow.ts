/** A Python that has Airflow itself, the version whose rules we hold ourselves against. */
import { pythonWith } from '../python.ts'

/** Its classes are asked; nothing of it is started. */
export const pythonWithAirflow = (): Promise<string> => pythonWith(['apache-airflow-core==3.3.2'])
