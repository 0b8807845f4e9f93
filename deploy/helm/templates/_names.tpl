{{/* Names, labels and numbers. */}}

{{- define "sell-sink.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "sell-sink.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "sell-sink.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* (list $ "suffix" max): the full name and a suffix within the length. */}}
{{- define "sell-sink.suffixed" -}}
{{- $suffix := index . 1 }}
{{- $room := int (sub (index . 2) (len $suffix | add1)) }}
{{- printf "%s-%s" (include "sell-sink.fullname" (index . 0) | trunc $room | trimSuffix "-") $suffix }}
{{- end }}

{{/* (list $ "component"): what selects its pods. Immutable, so no version and no chart here. */}}
{{- define "sell-sink.selectorLabels" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ include "sell-sink.name" $ | quote }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/*
(list $ "component" further...): labels of a pod; each map of further ones goes before commonLabels, and none before ours.
Without the chart's version: a new chart alone replaces no pod.
*/}}
{{- define "sell-sink.podLabels" -}}
{{- $ := index . 0 }}
{{- $labels := include "sell-sink.selectorLabels" . | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/version" $.Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" $.Release.Service }}
{{- range slice . 2 }}
{{- $labels = merge $labels (. | default dict) }}
{{- end }}
{{- merge $labels ($.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* The same for everything else. */}}
{{- define "sell-sink.labels" -}}
{{- $ := index . 0 }}
{{- $chart := dict "helm.sh/chart" (printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_") }}
{{- merge $chart (include "sell-sink.podLabels" . | fromYaml) | toYaml }}
{{- end }}

{{- define "sell-sink.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "sell-sink.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "sell-sink.image" -}}
{{- $image := .Values.image }}
{{- $registry := .Values.global.imageRegistry | default $image.registry }}
{{- $name := ternary (printf "%s/%s" $registry $image.repository) $image.repository (not (empty $registry)) }}
{{- if $image.digest }}
{{- printf "%s@%s" $name $image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "sell-sink.imagePullSecrets" -}}
{{- $names := list }}
{{- range concat (.Values.global.imagePullSecrets | default list) (.Values.imagePullSecrets | default list) }}
{{- if kindIs "map" . }}{{ $names = append $names .name }}{{ else }}{{ $names = append $names . }}{{ end }}
{{- end }}
{{- with uniq $names }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A number as Kubernetes takes it, where a template would write 1e+06; anything else as it is. */}}
{{- define "sell-sink.number" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}
