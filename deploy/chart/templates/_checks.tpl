{{/* What the schema cannot say: values that do not go together. Each message names the keys. */}}
{{- define "glocal.checks" -}}
{{- $v := .Values -}}
{{- if and $v.auth.jwt.issuer (not (and $v.auth.jwt.audience $v.auth.jwt.keys)) }}
{{- fail "auth.jwt.issuer: give auth.jwt.audience and auth.jwt.keys, too" }}
{{- end }}
{{- if and (not $v.insecure) (not $v.auth.tokens.enabled) (not $v.auth.jwt.issuer) (not $v.auth.clientCertificateRole) }}
{{- fail "auth.tokens.enabled: is false, and there is neither auth.jwt.issuer nor auth.clientCertificateRole: nobody could call; insecure: true asks nobody who they are" }}
{{- end }}
{{- if and $v.auth.clientCertificateRole (not $v.tls.clientCa.secretName) }}
{{- fail "auth.clientCertificateRole: give tls.clientCa.secretName, too, by which certificates of clients are known" }}
{{- end }}
{{- if and $v.insecure $v.tls.clientCa.secretName }}
{{- fail "insecure: is true, so that there is no TLS; tls.clientCa.secretName cannot be" }}
{{- end }}
{{- if and $v.tls.certManager.enabled (not $v.tls.certManager.issuerRef.name) }}
{{- fail "tls.certManager.issuerRef.name: cert-manager needs an issuer" }}
{{- end }}
{{- if and (eq $v.store.type "sqlite") (ne (int $v.server.replicas) 1) }}
{{- fail (printf "server.replicas: is %v; with store.type sqlite one pod does all" $v.server.replicas) }}
{{- end }}
{{- if and (has $v.store.postgresql.sslMode (list "disable" "no-verify")) (not $v.insecure) }}
{{- fail (printf "store.postgresql.sslMode: %s lets others on the way read what is stored; verify-full, or insecure: true if the network is yours" $v.store.postgresql.sslMode) }}
{{- end }}
{{- if and $v.dmd.clientTls.enabled (or $v.insecure (ne $v.dmd.mode "deployment")) }}
{{- fail "dmd.clientTls.enabled: is for dmd.mode deployment, with TLS (insecure: false)" }}
{{- end }}
{{- if eq $v.objects.type "s3" }}
{{- if not $v.objects.s3.bucket }}
{{- fail "objects.s3.bucket: objects.type s3 needs a bucket" }}
{{- end }}
{{- if and (hasPrefix "http:" $v.objects.s3.endpoint) (not $v.insecure) }}
{{- fail "objects.s3.endpoint: is not https, so that checkpoints would travel in clear text; or insecure: true if the network is yours" }}
{{- end }}
{{- end }}
{{- if and (include "glocal.hasWorkers" .) (eq $v.worker.runner "job") (eq $v.worker.job.trigger "prometheus") (not $v.worker.job.prometheus.serverAddress) }}
{{- fail "worker.job.prometheus.serverAddress: worker.job.trigger prometheus needs it" }}
{{- end }}
{{- if and $v.dashboard.enabled $v.insecure }}
{{- fail "dashboard.enabled: the dashboard shows other machines only a server that asks who calls; insecure must be false" }}
{{- end }}
{{- if and $v.dashboard.enabled $v.tls.clientCa.secretName (not $v.dashboard.clientTls.secretName) }}
{{- fail "dashboard.clientTls.secretName: the server asks clients for a certificate (tls.clientCa.secretName)" }}
{{- end }}
{{- if and $v.metrics.serviceMonitor.enabled (not $v.metrics.enabled) }}
{{- fail "metrics.serviceMonitor.enabled: metrics.enabled is false, so that there are no figures" }}
{{- end }}
{{- end }}
