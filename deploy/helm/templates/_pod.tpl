{{/*
The pod, for the connector and for jobs alike. Takes a dict: root, component, args, resources; live (with probes and port) or
not; restartPolicy.
*/}}
{{- define "sell-sink.podTemplate" -}}
{{- $ := .root }}
{{- $v := $.Values -}}
metadata:
  labels:
    {{- include "sell-sink.podLabels" (list $ .component $v.podLabels) | nindent 4 }}
  {{- $annotations := $v.podAnnotations | default dict }}
  {{- if not $v.existingConfigMap }}
  {{- $annotations = merge (dict "checksum/config" (include "sell-sink.config" $ | sha256sum)) $annotations }}
  {{- end }}
  {{- if $v.secrets.create }}
  {{- $annotations = merge (dict "checksum/secrets" (toJson $v.secrets.values | sha256sum)) $annotations }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "sell-sink.serviceAccountName" $ | quote }}
  automountServiceAccountToken: {{ $v.automountServiceAccountToken }}
  enableServiceLinks: {{ $v.enableServiceLinks }}
  {{- if kindIs "bool" $v.hostUsers }}
  hostUsers: {{ $v.hostUsers }}
  {{- end }}
  {{- with include "sell-sink.imagePullSecrets" $ }}
  {{- trim . | nindent 2 }}
  {{- end }}
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- if .live }}
  terminationGracePeriodSeconds: {{ include "sell-sink.number" $v.terminationGracePeriodSeconds }}
  {{- end }}
  {{- with $v.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- $user := include "sell-sink.podSecurityContext" $ | fromYaml }}
  securityContext:
    {{- toYaml $user | nindent 4 }}
  containers:
    - name: sell-sink
      image: {{ include "sell-sink.image" $ | quote }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      args:
        {{- toYaml (concat .args (list "--config" "/etc/sell-sink/config.yaml") (ternary ($v.extraArgs | default list) list .live)) | nindent 8 }}
      {{- $env := include "sell-sink.credentialEnv" $ }}
      {{- $heap := ((.resources | default dict).limits | default dict).memory }}
      {{- range $v.extraEnv }}{{ if eq .name "NODE_OPTIONS" }}{{ $heap = "" }}{{ end }}{{ end }}
      {{- if or $env $heap $v.extraEnv }}
      env:
        {{- if $heap }}
        # Node's own default exceeds small containers, and without a limit the share would be that of the whole node.
        - name: NODE_OPTIONS
          value: --max-old-space-size-percentage=60
        {{- end }}
        {{- with $env }}
        {{- trim . | nindent 8 }}
        {{- end }}
        {{- with $v.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- with $v.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if .live }}
      ports:
        - name: admin
          containerPort: {{ (($v.config | default dict).admin | default dict).port | default 8080 | int }}
          protocol: TCP
      {{- range $name, $path := dict "startupProbe" "/startupz" "readinessProbe" "/readyz" "livenessProbe" "/livez" }}
      {{ $name }}:
        httpGet:
          path: {{ $path }}
          port: admin
        {{- toYaml (index $v $name) | nindent 8 }}
      {{- end }}
      {{- if gt (int $v.preStopSleepSeconds) 0 }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ include "sell-sink.number" $v.preStopSleepSeconds }}
      {{- end }}
      {{- end }}
      {{- with .resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml $v.securityContext | nindent 8 }}
      volumeMounts:
        # Folders, never subPath: a file mounted by subPath is never refreshed.
        - name: config
          mountPath: /etc/sell-sink
          readOnly: true
        {{- if include "sell-sink.credentialFiles" $ }}
        - name: secrets
          mountPath: {{ include "sell-sink.secretsFolder" $ }}
          readOnly: true
        {{- end }}
        - name: tmp
          mountPath: /tmp
        {{- with $v.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- if .live }}
    {{- with $v.extraContainers }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ $v.existingConfigMap | default (include "sell-sink.fullname" $) | quote }}
    {{- with include "sell-sink.credentialFiles" $ }}
    - name: secrets
      projected:
        # Readable for the group that owns the volume, or for all where there is no such group.
        defaultMode: {{ ternary 288 292 (hasKey $user "fsGroup") }}
        sources:
          {{- trim . | nindent 10 }}
    {{- end }}
    - name: tmp
      emptyDir:
        sizeLimit: {{ include "sell-sink.number" $v.tmp.sizeLimit | quote }}
    {{- with $v.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $v.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .live }}
  {{- if kindIs "slice" $v.topologySpreadConstraints }}
  {{- with $v.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- else }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "sell-sink.selectorLabels" (list $ "connector") | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* What is null or empty is left to the cluster; Helm passes no null on from the values.yaml of a parent chart. */}}
{{- define "sell-sink.podSecurityContext" -}}
{{- $given := dict }}
{{- range $name, $value := .Values.podSecurityContext }}
{{- if not (or (kindIs "invalid" $value) (eq "" (toString $value))) }}{{ $_ := set $given $name $value }}{{ end }}
{{- end }}
{{- toYaml $given }}
{{- end }}

{{/* The arguments of each job, by its name. */}}
{{- define "sell-sink.jobArgs" -}}
{{- range $name, $job := .Values.jobs }}
{{ printf "jobs.%s" $name | quote }}: {{ dig "args" list ($job | default dict) | toJson }}
{{- end }}
{{- end }}
