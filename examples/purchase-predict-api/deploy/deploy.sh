#!/bin/sh
# Deploys $IMAGE as a new revision that serves the model version in ./deployment, and sends it the traffic. Takes PROJECT_ID and, if
# set, MLFLOW_SERVER.
set -eu
. ./deployment

variables="ENV=$ENVIRONMENT,MLFLOW_REGISTRY_NAME=$MODEL_NAME,MODEL_VERSION=$MODEL_VERSION"
# The build's own tracking server is the platform's, which gives its address to revisions itself: at each start, for the port may change.
if [ -n "${MLFLOW_SERVER:-}" ] && [ "$MLFLOW_SERVER" != "${MLFLOW_TRACKING_URI:-}" ]; then variables="$variables,MLFLOW_TRACKING_URI=$MLFLOW_SERVER"; fi

service="purchase-predict-api-$ENVIRONMENT"
gcloud run deploy "$service" \
  --image="$IMAGE" \
  --project="$PROJECT_ID" \
  --region=us-central1 \
  --platform=managed \
  --no-allow-unauthenticated \
  --labels="environment=$ENVIRONMENT,model-version=$MODEL_VERSION" \
  --set-env-vars="$variables" \
  --startup-probe="httpGet.path=/health,periodSeconds=1,timeoutSeconds=1,failureThreshold=60" \
  --quiet

# A rollback pins the traffic, and Cloud Run leaves a pin where it is. Here the revision that has become ready takes over all the same:
# a rollback answers one bad version, and a pin that is forgotten would keep an ever older model before the users while each Monday's
# refresh looks successful. To hold a rollback, pause the DAG and disable the triggers of this environment until it may end.
exec gcloud run services update-traffic "$service" \
  --to-latest \
  --project="$PROJECT_ID" \
  --region=us-central1 \
  --platform=managed \
  --quiet
