{{/* Values that are valid each by itself and contradict each other. One sentence each: what is wrong, and what to do. */}}

{{/* An amount of memory in bytes; 0 for a notation that is not known here. */}}
{{- define "sell-sink.bytes" -}}
{{- $unit := regexFind "[a-zA-Z]*$" (toString .) }}
{{- $factors := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "k" 1000 "M" 1000000 "G" 1000000000 }}
{{- $factor := ternary 1 (get $factors $unit | default 0) (eq $unit "") }}
{{- mulf (float64 (trimSuffix $unit (toString .))) (float64 $factor) }}
{{- end }}

{{- define "sell-sink.checks" -}}
{{- $v := .Values }}
{{- $config := $v.config | default dict }}
{{- $most := ternary $v.autoscaling.maxReplicas $v.replicas $v.autoscaling.enabled | int }}

{{- if not $v.image.repository }}
{{- fail "\n\nimage.repository is empty: there is no public image. Build and push one, then name it:\n  docker build -t registry.example.com/sell-sink:0.1.0 . && docker push registry.example.com/sell-sink:0.1.0\n  --set image.registry=registry.example.com --set image.repository=sell-sink\n" }}
{{- end }}

{{- if and $config $v.existingConfigMap }}
{{- fail "Both config and existingConfigMap are given: keep the one that is meant." }}
{{- end }}
{{- if not (or $config.routes $v.existingConfigMap) }}
{{- fail "config.routes is empty: put the configuration under config, as in config/example.yaml, or name a ConfigMap with a key config.yaml in existingConfigMap." }}
{{- end }}

{{- if and $v.secrets.create $v.existingSecret }}
{{- fail "Both secrets.create and existingSecret are given: keep the one that is meant." }}
{{- end }}
{{- range $path, $ref := $v.credentials }}
{{- if kindIs "map" $ref }}
{{- $inOwn := and (not $ref.existingSecret) $v.secrets.create }}
{{- if not (include "sell-sink.secretOf" (list $ $path $ref)) }}
{{- fail (printf "credentials[%s] names no Secret: set its existingSecret, or existingSecret for all of them." $path) }}
{{- end }}
{{- if and $inOwn (not (index $v.secrets.values ($ref.key | default $path))) }}
{{- fail (printf "secrets.create is on and secrets.values has no %s, which credentials[%s] wants." ($ref.key | default $path) $path) }}
{{- end }}
{{- if not $v.existingConfigMap }}
{{- $parts := splitList "." $path }}
{{- if not (or (hasKey $config (first $parts)) (eq "sell" (first $parts))) }}
{{- fail (printf "credentials[%s] is given and config.%s is not: add that section, or remove the credential." $path (first $parts)) }}
{{- end }}
{{- if and (hasPrefix "kafka.sasl." $path) (not ($config.kafka.sasl | default dict).mechanism) }}
{{- fail (printf "credentials[%s] is given and config.kafka.sasl.mechanism is not: say how to log in." $path) }}
{{- end }}
{{- $at := $config }}
{{- range $parts }}
{{- $at = ternary (get (ternary $at dict (kindIs "map" $at)) .) "" (kindIs "map" $at) }}
{{- end }}
{{- if $at }}
{{- fail (printf "config.%s is written out and credentials[%s] names a Secret for it: keep one; null removes a credential." $path $path) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- if and (gt $most 1) (not $v.existingConfigMap) (not (hasKey $config "redis")) }}
{{- fail (printf "%d replicas need config.redis: without it each would keep a quota of its own. Configure redis, or set replicas to 1." $most) }}
{{- end }}
{{- $least := add $v.preStopSleepSeconds 15 }}
{{- if lt (int $v.terminationGracePeriodSeconds) (int $least) }}
{{- fail (printf "terminationGracePeriodSeconds %d is too short: a stop takes up to 10 s after preStopSleepSeconds, and 5 s of reserve; set %d or more." (int $v.terminationGracePeriodSeconds) (int $least)) }}
{{- end }}
{{- if and (eq $v.strategy.type "RollingUpdate") (eq (toString $v.strategy.maxSurge) "0") (eq (toString $v.strategy.maxUnavailable) "0") }}
{{- fail "strategy.maxSurge and strategy.maxUnavailable are both 0: no pod could ever be replaced." }}
{{- end }}
{{- if has (toString $v.pdb.maxUnavailable) (list "0" "0%") }}
{{- fail "pdb.maxUnavailable 0 would block every drain of a node: set 1, or pdb.enabled to false." }}
{{- end }}

{{- with (($v.resources | default dict).limits | default dict).memory }}
{{- $limit := include "sell-sink.bytes" . | float64 }}
{{- $window := ($config.window | default dict).maxBytes | default 67108864 | float64 }}
{{- $needed := mulf 2.5 (addf $window 67108864) }}
{{- if and (gt $limit 0.0) (lt $limit $needed) (not $v.existingConfigMap) }}
{{- fail (printf "resources.limits.memory %v is too little: Node's heap may take 60 %% of it, and beside that config.window.maxBytes (%.0f) and Node itself must fit. Set %.0fMi or more, or a smaller config.window.maxBytes." . $window (ceil (divf $needed 1048576))) }}
{{- end }}
{{- end }}

{{- $admin := $config.admin | default dict }}
{{- if has ($admin.host | default "") (list "127.0.0.1" "localhost" "::1") }}
{{- fail (printf "config.admin.host %s: the kubelet could not reach the probes; leave it out." $admin.host) }}
{{- end }}
{{- if and (hasKey $admin "port") (lt (int $admin.port) 1) }}
{{- fail "config.admin.port 0 takes any port, and the probes need a known one; leave it out." }}
{{- end }}
{{- if and $v.monitoring.podMonitor.enabled $v.monitoring.serviceMonitor.enabled }}
{{- fail "monitoring.podMonitor and monitoring.serviceMonitor would both scrape each pod, and every sum would double: keep one." }}
{{- end }}

{{- with $v.autoscaling }}
{{- if .enabled }}
{{- if $v.existingConfigMap }}
{{- fail "autoscaling needs brokers, group and topics from config, and existingConfigMap hides them: use config, or scale by hand." }}
{{- end }}
{{- if not .prometheusAddress }}
{{- fail "autoscaling.prometheusAddress is empty: without the quota's use KEDA would add replicas that only wait for permits." }}
{{- end }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
{{- fail (printf "autoscaling.minReplicas %d is above autoscaling.maxReplicas %d." (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- if and $config.kafka.sasl (not .authenticationRef) }}
{{- fail "Kafka asks for a login and autoscaling.authenticationRef is empty: name a TriggerAuthentication, so that KEDA can read the lag." }}
{{- end }}
{{- $useful := int (include "sell-sink.usefulReplicas" $) }}
{{- if and (gt (int .maxReplicas) $useful) (not .allowBeyondUseful) }}
{{- fail (printf "autoscaling.maxReplicas %d is more than quota and partitions can use (%d): more replicas only wait for permits. Lower it, correct capacity, or set autoscaling.allowBeyondUseful." (int .maxReplicas) $useful) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
