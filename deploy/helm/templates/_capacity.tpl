{{/*
The arithmetic of the quota. R requests a second are permitted whatever the number of replicas, so records leave at
mu = R x records a request x (1 - retries); replicas beyond R x latency / concurrency only wait for permits.
*/}}

{{/* R; empty when there is no limit. */}}
{{- define "sell-sink.requestsPerSecond" -}}
{{- $quota := (.Values.config | default dict).quota | default dict }}
{{- $windows := $quota.windows | default list }}
{{- if not $windows }}
{{- $profiles := dict "customer" (list (dict "limit" 200 "perMs" 60000)) "sell-documented" (list (dict "limit" 10 "perMs" 1000)) "none" list }}
{{- $windows = index $profiles ($quota.profile | default "customer") }}
{{- end }}
{{- $rates := list }}
{{- range $windows }}
{{- $rates = append $rates (divf (mulf 1000 (sub .limit ($quota.reserve | default 0))) .perMs) }}
{{- end }}
{{- $least := "" }}
{{- range $rates }}
{{- if or (kindIs "string" $least) (lt . $least) }}{{ $least = . }}{{ end }}
{{- end }}
{{- $least }}
{{- end }}

{{- define "sell-sink.concurrency" -}}
{{- $batch := (.Values.config | default dict).batch | default dict }}
{{- $core := eq "core" (((.Values.config | default dict).sell | default dict).dialect | default "auto") }}
{{- $batch.maxInFlight | default (ternary 8 4 $core) }}
{{- end }}

{{/* Replicas that the quota and the partitions can use. */}}
{{- define "sell-sink.usefulReplicas" -}}
{{- $partitions := int .Values.capacity.partitions }}
{{- $rate := include "sell-sink.requestsPerSecond" . }}
{{- if $rate }}
{{- $needed := divf (mulf (float64 $rate) .Values.capacity.latencySeconds) (float64 (include "sell-sink.concurrency" .)) }}
{{- min $partitions (max 1 (int (ceil $needed))) }}
{{- else }}
{{- $partitions }}
{{- end }}
{{- end }}

{{- define "sell-sink.recordsPerRequest" -}}
{{- ternary 1 .Values.capacity.recordsPerRequest (eq "core" (((.Values.config | default dict).sell | default dict).dialect | default "auto")) }}
{{- end }}

{{/* mu; empty when there is no limit. */}}
{{- define "sell-sink.recordsPerSecond" -}}
{{- $rate := include "sell-sink.requestsPerSecond" . }}
{{- if $rate }}
{{- mulf (float64 $rate) (float64 (include "sell-sink.recordsPerRequest" .)) (subf 1 .Values.capacity.retryShare) }}
{{- end }}
{{- end }}
