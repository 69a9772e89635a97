{{/* The trainer, as server and as worker. */}}

{{/* How the database is named, by variables before it that are in its Secret or in the values. */}}
{{- define "glocal.databaseEnv" -}}
{{- $secret := include "glocal.databaseSecret" . -}}
{{- $pg := .Values.store.postgresql -}}
{{- $given := dict "DB_HOST" $pg.host "DB_PORT" $pg.port "DB_NAME" $pg.database "DB_USER" $pg.user -}}
{{- $keys := dict "DB_HOST" $pg.keys.host "DB_PORT" $pg.keys.port "DB_NAME" $pg.keys.database "DB_USER" $pg.keys.user -}}
{{- range $name, $value := $given }}
- name: {{ $name }}
  {{- if $value }}
  value: {{ $value | toString | quote }}
  {{- else }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ get $keys $name }}
  {{- end }}
{{- end }}
- name: GLOCAL_STORE
  value: "postgres://$(DB_USER)@$(DB_HOST):$(DB_PORT)/$(DB_NAME)?sslmode={{ $pg.sslMode }}
    {{- if $pg.ca.secretName }}&sslrootcert=/etc/glocal/database-ca/ca.crt{{ end }}"
- name: GLOCAL_STORE_PASSWORD_FILE
  value: /etc/glocal/database/password
- name: GLOCAL_STORE_DIR
  value: /var/lib/glocal/store
{{- end }}

{{- define "glocal.objectsEnv" -}}
{{- if eq .Values.objects.type "s3" }}
{{- with .Values.objects.s3 }}
- name: GLOCAL_OBJECTS
  value: {{ printf "s3://%s/%s" .bucket .prefix | trimSuffix "/" }}
{{- with .endpoint }}
- name: GLOCAL_OBJECTS_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- with .region }}
- name: GLOCAL_OBJECTS_REGION
  value: {{ . }}
{{- end }}
{{- if .credentials.secretName }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ .credentials.secretName }}
      key: {{ .credentials.accessKeyIdKey }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .credentials.secretName }}
      key: {{ .credentials.secretAccessKeyKey }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "glocal.dmdEnv" -}}
{{- if eq .Values.dmd.mode "sidecar" }}
- name: GLOCAL_DMD_ADDRESS
  value: 127.0.0.1:50062
{{- else }}
- name: GLOCAL_DMD_ADDRESS
  value: {{ printf "%s-dmd.%s.svc:50062" (include "glocal.fullname" .) .Release.Namespace }}
{{- if not .Values.insecure }}
- name: GLOCAL_DMD_TLS_CA
  value: /etc/glocal/dmd-ca/ca.crt
- name: GLOCAL_DMD_TOKEN_FILE
  value: /etc/glocal/dmd-token/token
{{- end }}
{{- if .Values.dmd.clientTls.enabled }}
- name: GLOCAL_DMD_TLS_CERTIFICATE
  value: /etc/glocal/dmd-client/tls.crt
- name: GLOCAL_DMD_TLS_KEY
  value: /etc/glocal/dmd-client/tls.key
{{- end }}
{{- end }}
{{- end }}

{{/* What server and workers are told alike. Call with (list $ VALUES ROLE). */}}
{{- define "glocal.trainerEnv" -}}
{{- $ := index . 0 -}}
{{- $values := index . 1 -}}
{{- $role := index . 2 -}}
{{- if or (ne $role "server") $.Values.tracing.endpoint }}
{{ include "glocal.podName" $ }}
{{- end }}
{{- if ne $role "server" }}
- name: GLOCAL_WORKER_NAME
  value: $(POD_NAME)
{{- end }}
{{- if eq $.Values.store.type "postgresql" }}
{{- include "glocal.databaseEnv" $ }}
{{- else }}
- name: GLOCAL_STORE
  value: /var/lib/glocal/studies.db
{{- end }}
- name: GLOCAL_STORE_WAIT_SECONDS
  value: {{ $.Values.store.waitSeconds | quote }}
{{- include "glocal.objectsEnv" $ }}
{{- include "glocal.dmdEnv" $ }}
{{- if $.Values.files.data }}
- name: GLOCAL_DATA_DIR
  value: /var/lib/glocal/data
{{- end }}
{{- if $.Values.files.models }}
- name: GLOCAL_MODEL_DIR
  value: /var/lib/glocal/models
{{- end }}
{{- if $.Values.files.problems }}
- name: GLOCAL_PROBLEM_DIR
  value: /var/lib/glocal/problems
{{- end }}
- name: GLOCAL_DRAIN_SECONDS
  value: {{ $values.drainSeconds | quote }}
- name: GLOCAL_HEALTH_LISTEN
  value: {{ printf "%s:50063" $.Values.listenHost | quote }}
{{- if $.Values.metrics.enabled }}
- name: GLOCAL_METRICS_LISTEN
  value: {{ printf "%s:9464" $.Values.listenHost | quote }}
- name: GLOCAL_INSECURE_METRICS
  value: "true"
{{- end }}
{{- if $.Values.insecure }}
- name: GLOCAL_INSECURE
  value: "true"
{{- end }}
{{- include "glocal.settings" (list "GLOCAL_" (merge (dict) $values.settings $.Values.settings)) }}
{{- include "glocal.tracingEnv" $ }}
{{- with $values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Who may call the server, and with what certificate it answers. */}}
{{- define "glocal.serverEnv" -}}
- name: GLOCAL_LISTEN
  value: {{ printf "%s:50061" .Values.listenHost | quote }}
{{- if not .Values.insecure }}
- name: GLOCAL_TLS_CERTIFICATE
  value: /etc/glocal/tls/tls.crt
- name: GLOCAL_TLS_KEY
  value: /etc/glocal/tls/tls.key
{{- if .Values.tls.clientCa.secretName }}
- name: GLOCAL_TLS_CLIENT_CA
  value: /etc/glocal/client-ca/ca.crt
{{- end }}
{{- with .Values.auth.clientCertificateRole }}
- name: GLOCAL_TLS_CLIENT_ROLE
  value: {{ . }}
{{- end }}
{{- if .Values.auth.tokens.enabled }}
- name: GLOCAL_TOKEN_FILE
  value: /etc/glocal/tokens/tokens
{{- end }}
{{- with .Values.auth.jwt }}
{{- if .issuer }}
- name: GLOCAL_JWT_ISSUER
  value: {{ .issuer | quote }}
- name: GLOCAL_JWT_AUDIENCE
  value: {{ .audience | quote }}
- name: GLOCAL_JWT_KEYS
  value: {{ .keys | quote }}
{{- with .ownerClaim }}
- name: GLOCAL_JWT_OWNER_CLAIM
  value: {{ . | quote }}
{{- end }}
{{- with .roleClaim }}
- name: GLOCAL_JWT_ROLE_CLAIM
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Probes of the trainer, at the address that is for them: in clear text, and nothing but health. A start may wait for the database.
*/}}
{{- define "glocal.trainerProbes" -}}
startupProbe:
  grpc:
    port: 50063
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: {{ add (div (add (int .Values.store.waitSeconds) 1) 2) 30 }}
readinessProbe:
  grpc:
    port: 50063
    service: glocal.v1.StudyService
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  grpc:
    port: 50063
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{- define "glocal.trainerPorts" -}}
- name: health
  containerPort: 50063
{{- if .Values.metrics.enabled }}
- name: metrics
  containerPort: 9464
{{- end }}
{{- end }}

{{/* Call with (list $ VALUES ROLE). */}}
{{- define "glocal.trainerMounts" -}}
{{- $ := index . 0 -}}
{{- $role := index . 2 -}}
- name: tmp
  mountPath: /tmp
- name: state
  mountPath: /var/lib/glocal
{{- if eq $.Values.store.type "postgresql" }}
- name: database
  mountPath: /etc/glocal/database
  readOnly: true
{{- if $.Values.store.postgresql.ca.secretName }}
- name: database-ca
  mountPath: /etc/glocal/database-ca
  readOnly: true
{{- end }}
{{- end }}
{{- if and (eq $.Values.dmd.mode "deployment") (not $.Values.insecure) }}
- name: dmd-ca
  mountPath: /etc/glocal/dmd-ca
  readOnly: true
- name: dmd-token
  mountPath: /etc/glocal/dmd-token
  readOnly: true
{{- end }}
{{- if $.Values.dmd.clientTls.enabled }}
- name: dmd-client
  mountPath: /etc/glocal/dmd-client
  readOnly: true
{{- end }}
{{- if and (ne $role "worker") (not $.Values.insecure) }}
- name: tls
  mountPath: /etc/glocal/tls
  readOnly: true
{{- if $.Values.tls.clientCa.secretName }}
- name: client-ca
  mountPath: /etc/glocal/client-ca
  readOnly: true
{{- end }}
{{- if $.Values.auth.tokens.enabled }}
- name: tokens
  mountPath: /etc/glocal/tokens
  readOnly: true
{{- end }}
{{- end }}
{{- range $name, $volume := $.Values.files }}
{{- if $volume }}
- name: {{ $name }}
  mountPath: /var/lib/glocal/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}
{{- with (index . 1).extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A file of a Secret, by the name that programs know. Call with (list NAME SECRET KEY FILE). */}}
{{- define "glocal.secretFile" -}}
- name: {{ index . 0 }}
  secret:
    secretName: {{ index . 1 }}
    defaultMode: 288 # 0440
    items:
      - key: {{ index . 2 }}
        path: {{ index . 3 }}
{{- end }}

{{/* Volumes of server and workers. Call with (list $ VALUES ROLE). */}}
{{- define "glocal.trainerVolumes" -}}
{{- $ := index . 0 -}}
{{- $role := index . 2 -}}
- name: tmp
  emptyDir: {}
- name: state
{{- if eq $.Values.store.type "sqlite" }}
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-store" (include "glocal.fullname" $)) $.Values.store.sqlite.existingClaim }}
{{- else }}
  emptyDir: {}
{{- end }}
{{- if eq $.Values.store.type "postgresql" }}
{{- with $.Values.store.postgresql }}
{{ include "glocal.secretFile" (list "database" (include "glocal.databaseSecret" $) .keys.password "password") }}
{{- if .ca.secretName }}
{{ include "glocal.secretFile" (list "database-ca" .ca.secretName .ca.key "ca.crt") }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq $.Values.dmd.mode "deployment") (not $.Values.insecure) }}
{{ include "glocal.secretFile" (list "dmd-ca" (include "glocal.dmdTlsSecret" $) $.Values.dmd.tls.caKey "ca.crt") }}
{{ include "glocal.secretFile" (list "dmd-token" (include "glocal.dmdTokenSecret" $) $.Values.dmd.auth.key "token") }}
{{- end }}
{{- if $.Values.dmd.clientTls.enabled }}
{{ include "glocal.dmdClientVolume" $ }}
{{- end }}
{{- if and (ne $role "worker") (not $.Values.insecure) }}
- name: tls
  secret:
    secretName: {{ include "glocal.tlsSecret" $ }}
    defaultMode: 288 # 0440
{{- with $.Values.tls.clientCa }}
{{- if .secretName }}
{{ include "glocal.secretFile" (list "client-ca" .secretName .key "ca.crt") }}
{{- end }}
{{- end }}
{{- with $.Values.auth.tokens }}
{{- if .enabled }}
{{ include "glocal.secretFile" (list "tokens" (include "glocal.tokensSecret" $) .key "tokens") }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $volume := $.Values.files }}
{{- if $volume }}
- name: {{ $name }}
  {{- toYaml $volume | nindent 2 }}
{{- end }}
{{- end }}
{{- with (index . 1).extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The pod of a worker, of either kind. Call with (list $ RESTART-POLICY), the policy empty for that of a Deployment. */}}
{{- define "glocal.workerPod" -}}
{{- $ := index . 0 -}}
{{- $restart := index . 1 -}}
{{- $values := $.Values.worker -}}
metadata:
  {{- include "glocal.podMetadata" (list $ "worker" $values) | nindent 2 }}
spec:
  {{- with $restart }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- include "glocal.podSpec" (list $ "worker" $values (include "glocal.fullname" $) (add (int $values.drainSeconds) 20)) | nindent 2 }}
  {{- with $values.resourceClaims }}
  resourceClaims:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "glocal.dmdSidecar" $ }}
  {{- . | nindent 2 }}
  {{- end }}
  containers:
    - name: worker
      image: {{ include "glocal.image" (list $ $values.image) }}
      imagePullPolicy: {{ $.Values.image.pullPolicy }}
      args: [--role, worker{{ if $restart }}, --once, --once-no-work-ok{{ end }}]
      env:
        {{- include "glocal.trainerEnv" (list $ $values "worker") | trim | nindent 8 }}
        {{- if not $restart }}
        - name: GLOCAL_MAX_RUNNING_TRIALS
          value: {{ $values.maxRunningTrials | quote }}
        {{- end }}
      ports:
        {{- include "glocal.trainerPorts" $ | nindent 8 }}
      {{- include "glocal.trainerProbes" $ | nindent 6 }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
        {{- with $values.resourceClaims }}
        claims:
          {{- range . }}
          - name: {{ .name }}
          {{- end }}
        {{- end }}
      securityContext:
        {{- include "glocal.containerSecurity" $ | nindent 8 }}
      volumeMounts:
        {{- include "glocal.trainerMounts" (list $ $values "worker") | nindent 8 }}
  volumes:
    {{- include "glocal.trainerVolumes" (list $ $values "worker") | nindent 4 }}
{{- end }}
