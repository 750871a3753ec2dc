/** Logs as the parts of a refresh write them, for the told stories. */
import type { LogSource } from '../api/platform.ts'

const TASK = `[2026-05-11T05:00:01.310Z] INFO  Job query_user_events-20260504 submitted to purchase-predict-cluster-staging-20260504
[2026-05-11T05:00:01.402Z] INFO  start=2026-05-04 end=2026-05-11 output=gs://daggerboard-data/primary/staging/2026-05-04/data.csv/
[2026-05-11T05:00:05.588Z] INFO  Wrote 22971 rows in 4 parts, 1242806 events read
[2026-05-11T05:00:05.601Z] INFO  Job ended as DONE`

const BUILD = `starting build "20260504-ml-11"

FETCHSOURCE
Cloning purchase_predict at branch staging
BUILD
Starting Step #0 - "install"
Step #0 - "install": added 14 packages in 3s
Finished Step #0 - "install"
Starting Step #1 - "test"
Step #1 - "test": ℹ tests 21
Step #1 - "test": ℹ pass 21
Finished Step #1 - "test"
Starting Step #2 - "pipeline"
Step #2 - "pipeline": loading    load_csv_from_bucket   22971 rows from 4 parts
Step #2 - "pipeline": processing encode_features        14 categories, 44 sub-categories, 680 brands
Step #2 - "pipeline": processing split_dataset          16080 to train, 6891 to test, by session
Step #2 - "pipeline": training   search                 trial 24 of 40  auc 0.7621`

const REVISION = `[purchase-predict-api] loading models:/purchase_predict/Staging
[purchase-predict-api] version 11, 100 trees, 13 features
[purchase-predict-api] listening on port 41873
[purchase-predict-api] POST /predict 200 4 ms`

export const cannedLog = (source: LogSource): string => ({ task: TASK, build: BUILD, revision: REVISION })[source.kind]
