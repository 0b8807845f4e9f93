{{/*
Settings whose value comes from a Secret. Each is called as in the configuration, by the path of the setting; the same name is
its file under /run/secrets/sell-sink and, in capitals, its environment variable.
*/}}

{{- define "sell-sink.secretsFolder" -}}
/run/secrets/sell-sink
{{- end }}

{{- define "sell-sink.ownSecret" -}}
{{- include "sell-sink.fullname" . }}
{{- end }}

{{/* (list $ path ref): the Secret it is in. */}}
{{- define "sell-sink.secretOf" -}}
{{- $ := index . 0 }}
{{- $fallback := ternary (include "sell-sink.ownSecret" $) $.Values.existingSecret $.Values.secrets.create }}
{{- (index . 2).existingSecret | default $fallback }}
{{- end }}

{{/* (list $ path): "file", "env" or "pem". What is no secret is not read from files, and PEM files are nothing else. */}}
{{- define "sell-sink.credentialKind" -}}
{{- $leaf := last (splitList "." (index . 1)) }}
{{- if hasSuffix "File" $leaf }}pem
{{- else if has $leaf (list "username" "clientId" "url" "proxy") }}env
{{- else }}{{ (index . 0).Values.secretsAs }}
{{- end }}
{{- end }}

{{- define "sell-sink.envName" -}}
{{- . | replace "." "_" | snakecase | upper }}
{{- end }}

{{/* The configuration with a reference in the place of each credential. */}}
{{- define "sell-sink.config" -}}
{{- $config := deepCopy (.Values.config | default dict) }}
{{- range $path, $ref := .Values.credentials }}
{{- if kindIs "map" $ref }}
{{- $kind := include "sell-sink.credentialKind" (list $ $path) }}
{{- $file := printf "%s/%s" (include "sell-sink.secretsFolder" $) $path }}
{{- $value := $file }}
{{- if eq $kind "env" }}
{{- $value = printf "${%s}" (include "sell-sink.envName" $path) }}
{{- else if eq $kind "file" }}
{{- $value = printf "file:%s" $file }}
{{- end }}
{{- $nested := $value }}
{{- range reverse (splitList "." $path) }}
{{- $nested = dict . $nested }}
{{- end }}
{{- $config = mergeOverwrite $config $nested }}
{{- end }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "sell-sink.credentialEnv" -}}
{{- range $path, $ref := .Values.credentials }}
{{- if and (kindIs "map" $ref) (eq "env" (include "sell-sink.credentialKind" (list $ $path))) }}
- name: {{ include "sell-sink.envName" $path | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ include "sell-sink.secretOf" (list $ $path $ref) | quote }}
      key: {{ $ref.key | default $path | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "sell-sink.credentialFiles" -}}
{{- range $path, $ref := .Values.credentials }}
{{- if and (kindIs "map" $ref) (ne "env" (include "sell-sink.credentialKind" (list $ $path))) }}
- secret:
    name: {{ include "sell-sink.secretOf" (list $ $path $ref) | quote }}
    items:
      - key: {{ $ref.key | default $path | quote }}
        path: {{ $path | quote }}
{{- end }}
{{- end }}
{{- end }}
