{{/* (list $ values): one endpoint of a PodMonitor or ServiceMonitor. */}}
{{- define "sell-sink.endpoint" -}}
{{- $monitor := index . 1 -}}
- port: admin
  path: /metrics
  interval: {{ $monitor.interval }}
  scrapeTimeout: {{ $monitor.scrapeTimeout }}
  honorLabels: {{ $monitor.honorLabels }}
  {{- with $monitor.relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $monitor.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
