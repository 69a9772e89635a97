{{/* The DMD service, in the pods of those who use it or by itself. */}}

{{/* A probe of the DMD service by its own command, which speaks TLS. Call with (list $ SERVICE). */}}
{{- define "glocal.dmdCheck" -}}
{{- $ := index . 0 -}}
exec:
  command:
    - /usr/bin/glocal-dmd
    - check
    - --address
    - 127.0.0.1:50062
    - --service
    - {{ index . 1 | quote }}
    - --timeout
    - "4"
    {{- if and (eq $.Values.dmd.mode "deployment") (not $.Values.insecure) }}
    - --tls-ca
    - /etc/glocal/tls/ca.crt
    - --tls-domain
    - {{ printf "%s-dmd.%s.svc" (include "glocal.fullname" $) $.Release.Namespace }}
    {{- end }}
    {{- if $.Values.dmd.clientTls.enabled }}
    - --tls-certificate
    - /etc/glocal/dmd-client/tls.crt
    - --tls-key
    - /etc/glocal/dmd-client/tls.key
    {{- end }}
timeoutSeconds: 5
{{- end }}

{{- define "glocal.dmdContainer" -}}
{{- $values := .Values.dmd -}}
{{- $alone := eq $values.mode "deployment" -}}
name: dmd
image: {{ include "glocal.image" (list . $values.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args: [serve]
env:
  {{- if .Values.tracing.endpoint }}
  {{- include "glocal.podName" . | nindent 2 }}
  {{- end }}
  - name: GLOCAL_DMD_LISTEN
    value: {{ ternary (printf "%s:50062" .Values.listenHost) "127.0.0.1:50062" $alone | quote }}
  {{- if .Values.metrics.enabled }}
  - name: GLOCAL_DMD_METRICS_LISTEN
    value: {{ printf "%s:9465" .Values.listenHost | quote }}
  {{- end }}
  {{- if $alone }}
  {{- if .Values.insecure }}
  - name: GLOCAL_DMD_INSECURE
    value: "true"
  {{- else }}
  - name: GLOCAL_DMD_TLS__CERTIFICATE
    value: /etc/glocal/tls/tls.crt
  - name: GLOCAL_DMD_TLS__KEY
    value: /etc/glocal/tls/tls.key
  - name: GLOCAL_DMD_AUTH__TOKEN_FILE
    value: /etc/glocal/dmd-token/token
  {{- if $values.clientTls.enabled }}
  - name: GLOCAL_DMD_TLS__CLIENT_CA
    value: /etc/glocal/dmd-client/ca.crt
  {{- end }}
  {{- end }}
  {{- end }}
  - name: GLOCAL_DMD_DRAIN_SECONDS
    value: {{ $values.drainSeconds | quote }}
  {{- with include "glocal.settings" (list "GLOCAL_DMD_" $values.settings) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "glocal.tracingEnv" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  {{- if $alone }}
  - name: grpc
    containerPort: 50062
  {{- end }}
  {{- if .Values.metrics.enabled }}
  - name: dmd-metrics
    containerPort: 9465
  {{- end }}
startupProbe:
  {{- include "glocal.dmdCheck" (list . "glocal.v1.DmdService") | nindent 2 }}
  periodSeconds: 1
  failureThreshold: 30
readinessProbe:
  {{- include "glocal.dmdCheck" (list . "glocal.v1.DmdService") | nindent 2 }}
  periodSeconds: 5
  failureThreshold: 3
livenessProbe:
  {{- include "glocal.dmdCheck" (list . "") | nindent 2 }}
  periodSeconds: 10
  failureThreshold: 6
resources:
  {{- toYaml $values.resources | nindent 2 }}
securityContext:
  {{- include "glocal.containerSecurity" . | nindent 2 }}
{{- end }}

{{/* Of mutual TLS: the certificate that is shown to the DMD service, and its roots. */}}
{{- define "glocal.dmdClientVolume" -}}
- name: dmd-client
  secret:
    secretName: {{ include "glocal.dmdClientTlsSecret" . }}
    defaultMode: 288 # 0440
    items:
      - key: tls.crt
        path: tls.crt
      - key: tls.key
        path: tls.key
      - key: {{ .Values.dmd.clientTls.caKey }}
        path: ca.crt
{{- end }}

{{/* A native sidecar: it is ready before the trainer starts, and ends after it. */}}
{{- define "glocal.dmdSidecar" -}}
{{- if eq .Values.dmd.mode "sidecar" -}}
initContainers:
  - restartPolicy: Always
    {{- include "glocal.dmdContainer" . | nindent 4 }}
{{- end }}
{{- end }}
