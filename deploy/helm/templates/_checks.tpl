{{/* Values that are valid each by itself and contradict each other. One sentence each: what is wrong, and what to do. */}}

{{- define "sell-sink.checks" -}}
{{- range list "what" "secrets" "commands" "pod" "monitoring" "quota" "autoscaling" }}
{{- include (printf "sell-sink.checks.%s" .) $ }}
{{- end }}
{{- end }}

{{- define "sell-sink.checks.what" -}}
{{- $v := .Values }}
{{- $config := $v.config | default dict }}
{{- if not $v.image.repository }}
{{- fail "\n\nimage.repository is empty: there is no public image. Build and push one, then name it:\n  docker build -t registry.example.com/sell-sink:0.1.0 . && docker push registry.example.com/sell-sink:0.1.0\n  --set image.registry=registry.example.com --set image.repository=sell-sink\n" }}
{{- end }}

{{- if and $config $v.existingConfigMap }}
{{- fail "Both config and existingConfigMap are given: keep the one that is meant." }}
{{- end }}
{{- if not (or $config.routes $v.existingConfigMap) }}
{{- fail "config.routes is empty: put the configuration under config, as in config/example.yaml, or name a ConfigMap with a key config.yaml in existingConfigMap." }}
{{- end }}
{{- end }}

{{- define "sell-sink.checks.secrets" -}}
{{- $v := .Values }}
{{- $config := $v.config | default dict }}
{{- with include "sell-sink.writtenSecrets" (list "config" $config) | trim }}
{{- fail (printf "%s holds a secret itself, which would end in a ConfigMap: name its Secret in credentials, or write file:/path or ${NAME} in the configuration." (first (splitList " " .))) }}
{{- end }}

{{- if and $v.secrets.values (not $v.secrets.create) }}
{{- fail "secrets.values is given and secrets.create is off: switch it on, or remove the values and name an existingSecret." }}
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
{{- if include "sell-sink.settingAt" (list $config $path) }}
{{- fail (printf "config.%s is written out and credentials[%s] names a Secret for it: keep one; null removes a credential." $path $path) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- $login := ($config.kafka | default dict).sasl | default dict }}
{{- $needed := list "sell.token" }}
{{- if and $login.mechanism (ne "oauthbearer" $login.mechanism) }}{{ $needed = append $needed "kafka.sasl.username" | concat (list "kafka.sasl.password") }}{{ end }}
{{- range $needed }}
{{- if not (or $v.existingConfigMap (kindIs "map" (get ($v.credentials | default dict) .)) (include "sell-sink.settingAt" (list $config .))) }}
{{- fail (printf "%s comes from nowhere: name its Secret in credentials[%s]." . .) }}
{{- end }}
{{- end }}
{{- range $v.extraEnv }}
{{- if contains (printf "- name: %q\n" .name) (printf "%s\n" (include "sell-sink.credentialEnv" $)) }}
{{- fail (printf "extraEnv sets %s, and so does a credential: keep one." .name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "sell-sink.checks.commands" -}}
{{- $v := .Values }}
{{- range $name, $args := merge (dict "extraArgs" ($v.extraArgs | default list)) (include "sell-sink.jobArgs" $ | fromYaml) }}
{{- if or (has "--config" $args) (regexMatch "(^| )--config=" (join " " $args)) }}
{{- fail (printf "%s names a --config, which the chart adds itself: leave it out." $name) }}
{{- end }}
{{- if eq "run" (first (append $args "")) }}
{{- fail (printf "%s would run the connector itself without probes and outside the Deployment: set replicas instead." $name) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "sell-sink.checks.pod" -}}
{{- $v := .Values }}
{{- $config := $v.config | default dict }}
{{- $least := add $v.preStopSleepSeconds 15 }}
{{- if lt (int $v.terminationGracePeriodSeconds) (int $least) }}
{{- fail (printf "terminationGracePeriodSeconds %d is too short: a stop takes up to 10 s after preStopSleepSeconds, and 5 s of reserve; set %d or more." (int $v.terminationGracePeriodSeconds) (int $least)) }}
{{- end }}
{{- $none := list "0" "0%" }}
{{- if and (eq $v.strategy.type "RollingUpdate") (has (toString $v.strategy.maxSurge) $none) (has (toString $v.strategy.maxUnavailable) $none) }}
{{- fail "strategy.maxSurge and strategy.maxUnavailable are both 0: no pod could ever be replaced." }}
{{- end }}
{{- if has (toString $v.pdb.maxUnavailable) $none }}
{{- fail "pdb.maxUnavailable 0 would block every drain of a node: set 1, or pdb.enabled to false." }}
{{- end }}

{{- with (($v.resources | default dict).limits | default dict).memory }}
{{- $limit := include "sell-sink.bytes" . | float64 }}
{{- if not (include "sell-sink.bytes" .) }}
{{- fail (printf "resources.limits.memory %v is no amount of memory: write it as 512Mi or 1Gi." .) }}
{{- end }}
{{- $window := ($config.window | default dict).maxBytes | default 67108864 | float64 }}
{{- $needed := mulf 2.5 (addf $window 67108864) }}
{{- if and (lt $limit $needed) (not $v.existingConfigMap) }}
{{- fail (printf "resources.limits.memory %v is too little: Node's heap may take 60 %% of it, and beside that config.window.maxBytes (%.0f) and Node itself must fit. Set %.0fMi or more, or a smaller config.window.maxBytes." . $window (ceil (divf $needed 1048576))) }}
{{- end }}
{{- end }}

{{- $user := include "sell-sink.podSecurityContext" $ | fromYaml }}
{{- if and $user.runAsNonRoot (hasKey $user "runAsUser") (eq 0 (int $user.runAsUser)) }}
{{- fail "podSecurityContext.runAsUser 0 is root, which runAsNonRoot forbids: name another user, or null for that of the image." }}
{{- end }}
{{- if and $v.networkPolicy.enabled $v.existingConfigMap (not $v.networkPolicy.extraEgress) }}
{{- fail "networkPolicy opens the ports that config names, and existingConfigMap hides them: name those of Kafka, Redis and the registry in networkPolicy.extraEgress, or set networkPolicy.enabled to false." }}
{{- end }}

{{- $admin := $config.admin | default dict }}
{{- if has ($admin.host | default "") (list "127.0.0.1" "localhost" "::1") }}
{{- fail (printf "config.admin.host %s: the kubelet could not reach the probes; leave it out." $admin.host) }}
{{- end }}
{{- if and (hasKey $admin "port") (lt (int $admin.port) 1) }}
{{- fail "config.admin.port 0 takes any port, and the probes need a known one; leave it out." }}
{{- end }}
{{- end }}

{{- define "sell-sink.checks.monitoring" -}}
{{- $v := .Values }}
{{- range $name := list "podMonitor" "serviceMonitor" }}
{{- with get $v.monitoring $name }}
{{- if gt (include "sell-sink.milliseconds" .scrapeTimeout | int) (include "sell-sink.milliseconds" .interval | int) }}
{{- fail (printf "monitoring.%s.scrapeTimeout %s is longer than its interval %s, which Prometheus refuses." $name .scrapeTimeout .interval) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (or $v.service.enabled $v.monitoring.serviceMonitor.enabled) (not (regexMatch "^[a-z]" (include "sell-sink.fullname" $))) }}
{{- fail (printf "A Service may not be called %s: its name must begin with a letter; set fullnameOverride." (include "sell-sink.fullname" $)) }}
{{- end }}
{{- if and $v.monitoring.podMonitor.enabled $v.monitoring.serviceMonitor.enabled }}
{{- fail "monitoring.podMonitor and monitoring.serviceMonitor would both scrape each pod, and every sum would double: keep one." }}
{{- end }}
{{- end }}

{{- define "sell-sink.checks.quota" -}}
{{- $v := .Values }}
{{- $config := $v.config | default dict }}
{{- $most := ternary $v.autoscaling.maxReplicas $v.replicas $v.autoscaling.enabled | int }}
{{- $quota := $config.quota | default dict }}
{{- if and $quota.profile $quota.windows }}
{{- fail (printf "Both config.quota.profile (%s) and config.quota.windows are given: keep the one that is meant." $quota.profile) }}
{{- end }}
{{- range $quota.windows }}
{{- if le (int .limit) (int $quota.reserve) }}
{{- fail (printf "config.quota.reserve %d leaves nothing of the window of %d calls: lower it." (int $quota.reserve) (int .limit)) }}
{{- end }}
{{- end }}
{{- if and (gt $most 1) (not $v.existingConfigMap) (not (hasKey $config "redis")) }}
{{- fail (printf "%d replicas need config.redis: without it each would keep a quota of its own. Configure redis, or set replicas to 1." $most) }}
{{- end }}
{{- if and (hasKey $config "redis") (not (or $config.redis.url $config.redis.sentinels $config.redis.cluster (kindIs "map" (get ($v.credentials | default dict) "redis.url")))) }}
{{- fail "config.redis names no server: give it url, sentinels or cluster, or name a Secret in credentials[redis.url]." }}
{{- end }}
{{- end }}

{{- define "sell-sink.checks.autoscaling" -}}
{{- $v := .Values }}
{{- $config := $v.config | default dict }}
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
