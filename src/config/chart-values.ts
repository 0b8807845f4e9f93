/**
 * The values of the Helm chart, declared like any other configuration: from here come the chart's closed schema and its
 * page of values. Plain Kubernetes objects are passed through as they are; Kubernetes checks them itself.
 */
import { z } from "zod";

const object = z.record(z.string(), z.unknown());
const strings = z.record(z.string(), z.string());
const list = z.array(object);
/** As in the names of pods and services. */
const name = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$/, "must be lower case letters, digits and dashes")
  .max(63);
/** Of an object that somebody else made. */
const objectName = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/, "must be the name of an object")
  .max(253);
const secretKey = z.string().regex(/^[A-Za-z0-9._-]*$/, "must be the name of a key");
const count = z.int().min(0);
/** Prometheus' own notation. */
const duration = z.string().regex(/^([0-9]+(ms|s|m|h|d|w))+$/, "must be a duration such as 15m");
const quantity = z.union([z.string().regex(/^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|k|M|G)?$/), z.number().gt(0)]);
/** A number of pods, or a share of them. */
const pods = z.union([z.int().min(0), z.string().regex(/^[0-9]+%$/, "must be a number or a percentage")]);
/** Five fields, or one of cron's own words. */
const cron = z.string().regex(/^(@[a-z]+|[^ ]+( [^ ]+){4})?$/, "must be a cron expression");
const registryHost = z
  .string()
  .regex(/^([A-Za-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._/-]+)?)?$/, "must be a host, without https://");

const switched = z.boolean().default(false);

const image = z
  .strictObject({
    registry: registryHost.default("").meta({ description: "Registry host; global.imageRegistry wins." }),
    repository: z
      .string()
      .regex(/^([a-z0-9][a-z0-9._/-]*)?$/, "must be a repository, without a tag")
      .default("")
      .meta({
        description: "Repository; there is no public image: build it with docker build, push it, name it here.",
      }),
    tag: z
      .string()
      .regex(/^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$/, "must be a tag")
      .default("")
      .meta({ description: "Tag; empty: the chart's appVersion." }),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/, "must be sha256:<64 hex digits>")
      .default("")
      .meta({ description: "Digest; wins over the tag, and is what production should name." }),
    pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
  })
  .prefault({})
  .meta({ description: "The image of sell-sink." });

const credential = z
  .strictObject({
    existingSecret: objectName.default("").meta({ description: "Secret; empty: the one in `existingSecret`." }),
    key: secretKey.default("").meta({ description: "Key in it; empty: the name of the setting." }),
  })
  .nullable();

const autoscaling = z
  .strictObject({
    enabled: switched.meta({ description: "KEDA adds replicas for a backlog, never for a used-up quota." }),
    minReplicas: z.int().min(1).default(1).meta({
      description: "Never 0: the group's offsets expire, and nobody would see new records.",
    }),
    maxReplicas: z.int().min(1).default(2),
    allowBeyondUseful: switched.meta({
      description: "Accept a maxReplicas above what the quota and the partitions can use; see NOTES.",
    }),
    lagThreshold: z.int().min(1).default(1000).meta({ description: "Records of backlog for each replica." }),
    quotaSaturation: z.number().gt(0).max(1).default(0.95).meta({
      description: "From this share of the quota on no replica is added: the quota is the bottleneck then.",
    }),
    prometheusAddress: z.string().default("").meta({
      description: "http://prometheus.monitoring:9090, which knows the quota's use and the Deployment's replicas.",
    }),
    authenticationRef: objectName.default("").meta({
      description: "TriggerAuthentication in this namespace with the Kafka credentials, on a secured cluster.",
    }),
    pollingInterval: z.int().min(1).default(30),
    scaleUpStabilizationSeconds: z.int().min(60).max(3600).default(60),
    scaleDownStabilizationSeconds: z.int().min(600).max(3600).default(600),
    scaleDownPeriodSeconds: z
      .int()
      .min(1)
      .max(1800)
      .default(300)
      .meta({ description: "One replica less in this time." }),
    fallbackFailures: z.int().min(1).default(3).meta({
      description: "After so many failed polls the number of replicas stays as it is.",
    }),
    annotations: strings.default({}),
  })
  .prefault({})
  .meta({ description: "KEDA, off by default: two replicas for availability are nearly always enough." });

const capacity = z
  .strictObject({
    partitions: z
      .int()
      .min(1)
      .default(12)
      .meta({ description: "Partitions of the topics: no more replicas can work." }),
    latencySeconds: z.number().gt(0).default(0.8).meta({ description: "95th percentile of a request to Sell." }),
    recordsPerRequest: z.number().gt(0).default(20).meta({
      description: "Measured: records_delivered_total / requests_total. 1 in the core dialect.",
    }),
    retryShare: z.number().min(0).lt(1).default(0.02).meta({ description: "Share of requests that are repeated." }),
    arrivalsPerSecond: z
      .number()
      .min(0)
      .default(0.6)
      .meta({ description: "Changed records a second; 0.6 are 2,160 an hour." }),
  })
  .prefault({})
  .meta({ description: "For the arithmetic in NOTES, and for the cap of autoscaling." });

const envVariable = z.strictObject({
  name: z.string().min(1),
  value: z.string().optional(),
  valueFrom: object.optional(),
});

const probe = z.strictObject({
  periodSeconds: z.int().min(1),
  timeoutSeconds: z.int().min(1),
  failureThreshold: z.int().min(1),
});

const monitor = (what: string) =>
  z
    .strictObject({
      enabled: switched.meta({ description: `Render the ${what} (Prometheus Operator).` }),
      labels: strings.default({}).meta({ description: "Labels by which Prometheus selects it." }),
      interval: duration.default("30s"),
      scrapeTimeout: duration.default("10s"),
      honorLabels: switched,
      relabelings: list.default([]),
      metricRelabelings: list.default([]),
    })
    .prefault({});

const alert = z.strictObject({
  severity: z.enum(["page", "ticket", "warn", "info"]).optional().meta({ description: "Who is told." }),
  for: duration.optional().meta({ description: "How long it must hold." }),
  threshold: z.number().optional().meta({ description: "Compared with; the alert's file says with what." }),
  labels: strings.optional().meta({ description: "Further labels." }),
});

const ALERTS = [
  "authFailing",
  "backlogWillMissDeadline",
  "breakerOpen",
  "consumerGone",
  "deadLettersAppearing",
  "deliveryStale",
  "limiterDegraded",
  "partitionUnowned",
  "quotaExhausted",
  "quotaStructurallyInsufficient",
  "rebalanceStorm",
  "retentionRisk",
  "stalled",
  "upstreamThrottling",
] as const;

const rules = z
  .strictObject({
    enabled: switched.meta({ description: "Render the PrometheusRule." }),
    additionalLabels: strings.default({}).meta({ description: "Labels by which Prometheus selects it." }),
    excludeRules: z.array(z.enum(ALERTS)).default(["partitionUnowned"]).meta({
      description: "Alerts that are left out. partitionUnowned needs the metrics of kafka_exporter.",
    }),
    runbookUrl: z.string().default("").meta({
      description: "Where deploy/runbooks is to be read, ending in a slash: runbook_url is this and the page's name.",
    }),
    ageObjectiveSeconds: z
      .number()
      .gt(0)
      .default(300)
      .meta({ description: "A live change should reach Sell within it." }),
    ageBudget: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.01)
      .meta({ description: "Share of the time in which it may be later." }),
    retentionSeconds: z
      .number()
      .gt(0)
      .default(604800)
      .meta({ description: "Retention of source topics whose settings the Kafka user may not describe." }),
    alerts: z
      .strictObject(Object.fromEntries(ALERTS.map((key) => [key, alert.optional()])))
      .prefault({})
      .meta({ description: "Threshold, duration and severity of each alert, where they differ from its file." }),
  })
  .prefault({});

const job = z
  .strictObject({
    args: z.array(z.string()).min(1).meta({ description: "The command and its arguments; --config is added." }),
    schedule: cron.default("").meta({
      description:
        "Cron expression to run it by itself; empty: only by hand, with kubectl create job --from=cronjob/...",
    }),
    backoffLimit: count.default(0),
    activeDeadlineSeconds: z.int().min(1).optional(),
    ttlSecondsAfterFinished: count.default(86400),
    resources: object.default({}),
  })
  .nullable();

export const chartValues = z.strictObject({
  global: z
    .looseObject({
      imageRegistry: registryHost.default(""),
      imagePullSecrets: z.array(z.union([z.string(), strings])).default([]),
    })
    .prefault({})
    .meta({ description: "Shared with a parent chart." }),
  nameOverride: name.default(""),
  fullnameOverride: name.default(""),
  commonLabels: strings.default({}).meta({ description: "Labels of every object." }),
  image,
  imagePullSecrets: z
    .array(z.union([z.string(), strings]))
    .default([])
    .meta({ description: "Names of pull secrets." }),
  replicas: count
    .default(2)
    .meta({ description: "Two for availability; more add no quota. Above 1 config.redis is needed." }),
  existingConfigMap: objectName.default("").meta({
    description: "ConfigMap with a key config.yaml, in place of `config`; then it names its secrets itself.",
  }),
  existingSecret: objectName.default("").meta({ description: "Secret of those `credentials` that name none." }),
  credentials: z
    .record(z.string(), credential)
    .default({ "sell.token": {} as never })
    .meta({
      description:
        "Settings whose value comes from a Secret, by their name in the configuration: the chart mounts the key and writes the reference. Null removes one.",
    }),
  secretsAs: z.enum(["file", "env"]).default("file").meta({
    description: "file: mounted, a new sell.token is taken up without a restart. env: environment variables.",
  }),
  secrets: z
    .strictObject({
      create: switched.meta({
        description: "Let the chart make the Secret; for a try only, values end in the release.",
      }),
      values: z.record(secretKey, z.string()).default({}).meta({ description: "Value of each credential." }),
    })
    .prefault({}),
  strategy: z
    .strictObject({
      type: z.enum(["RollingUpdate", "Recreate"]).default("RollingUpdate").meta({
        description: "Recreate: one leave and one join of the group, and half a minute of pause.",
      }),
      maxSurge: pods.default(0).meta({ description: "A surge replica brings no quota and saves no rebalance." }),
      maxUnavailable: pods.default(1),
    })
    .prefault({}),
  minReadySeconds: count.default(15).meta({ description: "One rebalance ends before the next begins." }),
  revisionHistoryLimit: count.default(5),
  terminationGracePeriodSeconds: z.int().min(1).default(60).meta({
    description: "At least preStopSleepSeconds + 15: a stop takes up to 10 s.",
  }),
  preStopSleepSeconds: count.default(0).meta({ description: "Not needed; for meshes that must close after us." }),
  podSecurityContext: object
    .default({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    })
    .meta({
      description:
        "On OpenShift set runAsUser, runAsGroup and fsGroup to null; in the values.yaml of a parent chart, where Helm passes no null on, to an empty text.",
    }),
  securityContext: object.default({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  }),
  hostUsers: z
    .boolean()
    .nullable()
    .optional()
    .meta({ description: "False: a user namespace of its own, where supported." }),
  serviceAccount: z
    .strictObject({
      create: z.boolean().default(true),
      name: objectName.default(""),
      annotations: strings.default({}),
    })
    .prefault({})
    .meta({ description: "sell-sink never talks to the Kubernetes API: no token is mounted, no role exists." }),
  automountServiceAccountToken: switched,
  enableServiceLinks: switched,
  tmp: z
    .strictObject({ sizeLimit: quantity.default("16Mi") })
    .prefault({})
    .meta({ description: "An emptyDir on /tmp: the root is read-only." }),
  resources: object.default({}).meta({
    description:
      "Unset by default. A memory limit also sets Node's heap to 60 % of it; the default config.window.maxBytes needs 320Mi.",
  }),
  startupProbe: probe.prefault({ periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 60 }),
  readinessProbe: probe.prefault({ periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 }),
  livenessProbe: probe.prefault({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 }),
  pdb: z
    .strictObject({
      enabled: z.boolean().default(true),
      maxUnavailable: pods.default(1),
      unhealthyPodEvictionPolicy: z.enum(["AlwaysAllow", "IfHealthyBudget"]).default("AlwaysAllow"),
    })
    .prefault({})
    .meta({ description: "PodDisruptionBudget, only with more than one replica." }),
  networkPolicy: z
    .strictObject({
      enabled: z.boolean().default(true),
      metricsFrom: list.default([]).meta({
        description: "Peers that may reach the admin port; empty: any. Kubelet's probes always may.",
      }),
      extraEgress: list.default([]).meta({
        description: "Further rules. A plain NetworkPolicy cannot name a host: Sell is any address on its port.",
      }),
    })
    .prefault({}),
  service: z
    .strictObject({
      enabled: switched.meta({ description: "Always on with the ServiceMonitor." }),
      annotations: strings.default({}),
    })
    .prefault({}),
  autoscaling,
  capacity,
  monitoring: z
    .strictObject({
      podMonitor: monitor("PodMonitor; preferred, needs no Service"),
      serviceMonitor: monitor("ServiceMonitor"),
      rules,
      dashboard: z
        .strictObject({
          enabled: switched.meta({ description: "Render the ConfigMap with the Grafana dashboard." }),
          label: z.string().default("grafana_dashboard").meta({ description: "Label the sidecar looks for." }),
          labelValue: z.string().default("1"),
          annotations: strings.default({}),
        })
        .prefault({}),
    })
    .prefault({}),
  jobs: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
        .max(40),
      job,
    )
    .default({})
    .meta({
      description:
        "Commands too heavy for the running process, each with the same configuration and secrets. Null removes one.",
    }),
  podLabels: strings.default({}),
  podAnnotations: strings.default({}),
  priorityClassName: objectName.default(""),
  nodeSelector: strings.default({}),
  tolerations: list.default([]),
  affinity: object.default({}),
  topologySpreadConstraints: list.nullable().default(null).meta({
    description: "Null: spread over hosts and zones where possible; [] for none.",
  }),
  extraArgs: z.array(z.string()).default([]),
  extraEnv: z
    .array(envVariable)
    .default([])
    .meta({ description: "Environment variables, also for ${NAME} in the configuration." }),
  extraEnvFrom: list.default([]),
  extraVolumes: list.default([]),
  extraVolumeMounts: list.default([]),
  extraContainers: list.default([]),
  extraObjects: z
    .array(z.union([object, z.string()]))
    .default([])
    .meta({ description: "Further manifests, through tpl." }),
  config: z
    .unknown()
    .optional()
    .meta({ description: "The configuration, as in config/reference.md; secrets only as references." }),
});
