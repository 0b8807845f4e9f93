{{/*
The arithmetic of the quota. R requests a second are permitted whatever the number of replicas, so records leave at
mu = R x records a request x (1 - retries); replicas beyond R x latency / concurrency only wait for permits.
*/}}

{{/* R, at the pace of the gate: each window with its guard, and the spacing; empty when there is no limit. */}}
{{- define "sell-sink.requestsPerSecond" -}}
{{- $quota := (.Values.config | default dict).quota | default dict }}
{{- $windows := $quota.windows | default list }}
{{- if not $windows }}
{{- $profiles := dict "customer" (list (dict "limit" 200 "perMs" 60000)) "sell-documented" (list (dict "limit" 10 "perMs" 1000)) "none" list }}
{{- $windows = index $profiles ($quota.profile | default "customer") }}
{{- end }}
{{- $spacing := $quota.spacingMs | default 0 }}
{{- $slowest := $spacing | float64 }}
{{- range $windows }}
{{- $guard := $quota.guardMs }}
{{- if kindIs "invalid" $guard }}{{ $guard = maxf (mulf 0.01 .perMs) (minf 300 (mulf 0.3 .perMs)) }}{{ end }}
{{- $slowest = maxf $slowest (divf (addf .perMs $guard) (sub .limit ($quota.reserve | default 0))) }}
{{- end }}
{{- if gt $slowest 0.0 }}{{ divf 1000 $slowest }}{{ end }}
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
