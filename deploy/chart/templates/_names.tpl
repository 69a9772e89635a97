{{/* Names, labels and images. */}}

{{- define "glocal.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* What the names of objects begin with: short enough for what is added to it. */}}
{{- define "glocal.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := include "glocal.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* By which pods of a component are selected. Call with (list $ COMPONENT). */}}
{{- define "glocal.selector" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ include "glocal.name" $ }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Call with (list $ COMPONENT). */}}
{{- define "glocal.labels" -}}
{{- $ := index . 0 -}}
{{ include "glocal.selector" . }}
app.kubernetes.io/part-of: glocal
app.kubernetes.io/version: {{ default $.Chart.AppVersion $.Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" }}
{{- with $.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Name, namespace, labels and annotations of an object. Call with (list $ COMPONENT NAME) and, if there are any, annotations. */}}
{{- define "glocal.metadata" -}}
{{- $ := index . 0 -}}
{{- $annotations := dict -}}
{{- if gt (len .) 3 }}{{ $annotations = merge $annotations (default dict (index . 3)) }}{{ end -}}
{{- $annotations = merge $annotations $.Values.commonAnnotations -}}
name: {{ index . 2 }}
namespace: {{ $.Release.Namespace }}
labels:
  {{- include "glocal.labels" (list $ (index . 1)) | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Call with (list $ IMAGE), an image of the values. */}}
{{- define "glocal.image" -}}
{{- $ := index . 0 -}}
{{- $image := index . 1 -}}
{{- with $.Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ coalesce $image.tag $.Values.image.tag $.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "glocal.tlsSecret" -}}
{{- default (printf "%s-tls" (include "glocal.fullname" .)) .Values.tls.secretName }}
{{- end }}

{{- define "glocal.tokensSecret" -}}
{{- default (printf "%s-tokens" (include "glocal.fullname" .)) .Values.auth.tokens.secretName }}
{{- end }}

{{- define "glocal.databaseSecret" -}}
{{- default (printf "%s-database" (include "glocal.fullname" .)) .Values.store.postgresql.secretName }}
{{- end }}

{{- define "glocal.dmdTlsSecret" -}}
{{- default (printf "%s-dmd-tls" (include "glocal.fullname" .)) .Values.dmd.tls.secretName }}
{{- end }}

{{- define "glocal.dmdClientTlsSecret" -}}
{{- default (printf "%s-dmd-client-tls" (include "glocal.fullname" .)) .Values.dmd.clientTls.secretName }}
{{- end }}

{{- define "glocal.dmdTokenSecret" -}}
{{- default (printf "%s-dmd-token" (include "glocal.fullname" .)) .Values.dmd.auth.secretName }}
{{- end }}

{{- define "glocal.dashboardTlsSecret" -}}
{{- default (printf "%s-dashboard-tls" (include "glocal.fullname" .)) .Values.dashboard.tls.secretName }}
{{- end }}

{{/* Whether there are workers: `yes` or nothing. */}}
{{- define "glocal.hasWorkers" -}}
{{- if and .Values.worker.enabled (eq .Values.store.type "postgresql") }}yes{{ end }}
{{- end }}

{{/* Where clients of the namespace find the server. */}}
{{- define "glocal.address" -}}
{{- printf "%s.%s.svc:%v" (include "glocal.fullname" .) .Release.Namespace .Values.server.service.port }}
{{- end }}
