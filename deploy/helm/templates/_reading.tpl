{{/* What checks read out of values: amounts, durations, secrets, single settings. */}}

{{/* An amount of memory in bytes; empty for a notation that is not known here. */}}
{{- define "sell-sink.bytes" -}}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?([eE][+]?[0-9]+)?" (toString .) }}
{{- $unit := trimPrefix $number (toString .) }}
{{- if and $number (hasKey $factors $unit) }}{{ mulf (float64 $number) (float64 (get $factors $unit)) }}{{ end }}
{{- end }}

{{/* A duration of Prometheus in milliseconds. */}}
{{- define "sell-sink.milliseconds" -}}
{{- $sum := 0 }}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 "w" 604800000 }}
{{- range regexFindAll "[0-9]+(ms|s|m|h|d|w)" . -1 }}
{{- $sum = add $sum (mul (regexFind "^[0-9]+" .) (get $units (regexFind "[a-z]+$" .))) }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* (list path map): settings that hold a secret itself, and not the name of a file or a variable. */}}
{{- define "sell-sink.writtenSecrets" -}}
{{- $path := index . 0 }}
{{- range $name, $value := index . 1 }}
{{- $at := printf "%s.%s" $path $name }}
{{- if kindIs "map" $value }}
{{- include "sell-sink.writtenSecrets" (list $at $value) }}
{{- else if kindIs "string" $value }}
{{- $isSecret := has $name (list "token" "password" "clientSecret") }}
{{- $isReference := regexMatch "^(file:/.+|[$][{][A-Za-z_][A-Za-z0-9_]*[}])$" $value }}
{{- if or (and $isSecret (not $isReference)) (regexMatch "://[^/@]*:[^/@$][^/]*@" $value) }}{{ $at }} {{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/* (list map "a.b.c"): what is there in the configuration; empty for nothing. */}}
{{- define "sell-sink.settingAt" -}}
{{- $at := index . 0 }}
{{- range splitList "." (index . 1) }}
{{- $at = ternary (get (ternary $at dict (kindIs "map" $at)) .) "" (kindIs "map" $at) }}
{{- end }}
{{- with $at }}{{ toJson . }}{{ end }}
{{- end }}
