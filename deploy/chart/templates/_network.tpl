{{/* Parts of network policies. */}}

{{/* A rule of `to` or `from`, which means anybody where there is no peer. Call with (list DIRECTION PEERS PORT). */}}
{{- define "glocal.flow" -}}
- {{ with index . 1 }}{{ index $ 0 }}:
    {{- toYaml . | nindent 4 }}
  {{ end -}}
  ports:
    - protocol: TCP
      port: {{ index . 2 }}
{{- end }}

{{- define "glocal.dnsFlow" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns | nindent 4 }}
  ports:
    - protocol: UDP
      port: 53
    - protocol: TCP
      port: 53
{{- end }}

{{/* A peer that is a component of this release. Call with (list $ COMPONENT). */}}
{{- define "glocal.peer" -}}
- podSelector:
    matchLabels:
      {{- include "glocal.selector" . | nindent 6 }}
{{- end }}

{{/* What server and workers reach. Call with (list $ ROLE). */}}
{{- define "glocal.trainerEgress" -}}
{{- $ := index . 0 -}}
{{- $policy := $.Values.networkPolicy -}}
{{ include "glocal.dnsFlow" $ }}
{{- if eq $.Values.store.type "postgresql" }}
{{ include "glocal.flow" (list "to" $policy.database.to (default $policy.database.port $.Values.store.postgresql.port)) }}
{{- end }}
{{- if eq $.Values.objects.type "s3" }}
{{ include "glocal.flow" (list "to" $policy.objects.to $policy.objects.port) }}
{{- end }}
{{- if eq $.Values.dmd.mode "deployment" }}
{{ include "glocal.flow" (list "to" (include "glocal.peer" (list $ "dmd") | fromYamlArray) 50062) }}
{{- end }}
{{- if and (eq (index . 1) "server") $.Values.auth.jwt.issuer }}
{{ include "glocal.flow" (list "to" $policy.jwt.to $policy.jwt.port) }}
{{- end }}
{{- if $.Values.tracing.endpoint }}
{{ include "glocal.flow" (list "to" $policy.tracing.to $policy.tracing.port) }}
{{- end }}
{{- with $policy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Who reads figures, at one or two ports. Call with (list $ PORT …). */}}
{{- define "glocal.metricsIngress" -}}
{{- $ := index . 0 -}}
{{- if and $.Values.metrics.enabled $.Values.networkPolicy.monitoring -}}
- from:
    {{- toYaml $.Values.networkPolicy.monitoring | nindent 4 }}
  ports:
    {{- range rest . }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end }}
{{- end }}
