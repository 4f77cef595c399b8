{{/* Names and labels. "service" takes a dict of root, name and settings: those of `defaults` with services.NAME over them. */}}
{{- define "argus.name" -}}{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}{{- end }}

{{- define "argus.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}{{ $name := include "argus.name" . }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end }}{{ end }}
{{- end }}

{{- define "argus.namespace" -}}{{ default .Release.Namespace .Values.namespaceOverride }}{{- end }}

{{- define "argus.selector" -}}
app.kubernetes.io/name: {{ include "argus.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "argus.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "argus.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: argus
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Head of an object's metadata: dict root, suffix (of the name), component (a label, optional). */}}
{{- define "argus.metadata" -}}
name: {{ include "argus.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ include "argus.namespace" .root }}
labels:
  {{- include "argus.labels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "argus.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "argus.fullname" .) .Values.serviceAccount.name }}
{{- else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{/* The enabled services as JSON: name → settings. */}}
{{- define "argus.services" -}}
{{- $found := dict }}
{{- range $name, $own := .Values.services }}
{{- $settings := mustMergeOverwrite (deepCopy $.Values.defaults) (deepCopy (default dict $own)) }}
{{- if $settings.enabled }}{{ $_ := set $found $name $settings }}{{ end }}
{{- end }}
{{- $found | toJson }}
{{- end }}

{{- define "argus.image" -}}
{{- $image := .settings.image }}
{{- $repository := default (printf "%s/%s" .root.Values.image.repository .name) $image.repository }}
{{- $path := ternary (printf "%s/%s" .root.Values.image.registry $repository) $repository (ne .root.Values.image.registry "") }}
{{- if $image.digest }}{{ printf "%s@%s" $path $image.digest }}
{{- else }}
{{- $tag := coalesce $image.tag .root.Values.image.tag .root.Chart.AppVersion }}
{{- if and .settings.gpu.enabled .settings.gpu.tag }}{{ $tag = .settings.gpu.tag }}{{ end }}
{{- printf "%s:%s" $path $tag }}{{ end }}
{{- end }}

{{- define "argus.pullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* How a pod reaches Kafka and Redis: dict root, settings. */}}
{{- define "argus.environment" -}}
{{- $kafka := .root.Values.kafka }}{{ $redis := .root.Values.redis }}
- {name: ARGUS_KAFKA_BOOTSTRAP_SERVERS, value: {{ required "kafka.bootstrapServers must be set: host:port of your brokers" $kafka.bootstrapServers | quote }}}
- {name: ARGUS_KAFKA_TOPIC_PREFIX, value: {{ $kafka.topicPrefix | quote }}}
{{- if $kafka.topics.replicationFactor }}
- {name: ARGUS_KAFKA_REPLICATION_FACTOR, value: {{ $kafka.topics.replicationFactor | quote }}}
{{- end }}
{{- if $kafka.tls.enabled }}
- {name: ARGUS_KAFKA_TLS, value: "true"}
{{- if $kafka.tls.existingSecret }}
- {name: ARGUS_KAFKA_CA_FILE, value: /etc/argus/kafka/ca.crt}
{{- if $kafka.tls.clientCertificate }}
- {name: ARGUS_KAFKA_CERT_FILE, value: /etc/argus/kafka/tls.crt}
- {name: ARGUS_KAFKA_KEY_FILE, value: /etc/argus/kafka/tls.key}
{{- end }}
{{- end }}
{{- end }}
{{- if $kafka.sasl.mechanism }}
{{- $secret := coalesce .settings.kafkaSecret $kafka.sasl.existingSecret | required "kafka.sasl.existingSecret must be set with kafka.sasl.mechanism" }}
- {name: ARGUS_KAFKA_SASL_MECHANISM, value: {{ $kafka.sasl.mechanism }}}
- name: ARGUS_KAFKA_USERNAME
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: username}}
- name: ARGUS_KAFKA_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: password}}
{{- end }}
{{- if .settings.redis }}
- {name: ARGUS_REDIS_URL, value: {{ required "redis.url must be set: redis://host:port/database" $redis.url | quote }}}
- {name: ARGUS_REDIS_KEY_PREFIX, value: {{ $redis.keyPrefix | quote }}}
{{- with $redis.username }}
- {name: ARGUS_REDIS_USERNAME, value: {{ . | quote }}}
{{- end }}
{{- with $redis.existingSecret }}
- name: ARGUS_REDIS_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ . }}, key: password}}
{{- end }}
{{- if $redis.tls.existingSecret }}
- {name: ARGUS_REDIS_CA_FILE, value: /etc/argus/redis/ca.crt}
{{- end }}
{{- end }}
- {name: ARGUS_OPS_HOST, value: 0.0.0.0}
- {name: ARGUS_OPS_PORT, value: "9100"}
- {name: ARGUS_OPS_LOG_LEVEL, value: {{ .root.Values.logLevel }}}
{{- range $variable, $value := merge (dict) .settings.env .root.Values.env }}
- {name: {{ $variable }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{/* Volumes and mounts of certificates: dict root, settings. */}}
{{- define "argus.certificateVolumes" -}}
{{- with .root.Values.kafka.tls }}{{ if and .enabled .existingSecret }}
- {name: kafka-certificates, secret: {secretName: {{ .existingSecret }}, defaultMode: 0440}}
{{- end }}{{ end }}
{{- if .settings.redis }}{{ with .root.Values.redis.tls.existingSecret }}
- {name: redis-certificates, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}{{ end }}
{{- end }}

{{- define "argus.certificateMounts" -}}
{{- with .root.Values.kafka.tls }}{{ if and .enabled .existingSecret }}
- {name: kafka-certificates, mountPath: /etc/argus/kafka, readOnly: true}
{{- end }}{{ end }}
{{- if .settings.redis }}{{ if .root.Values.redis.tls.existingSecret }}
- {name: redis-certificates, mountPath: /etc/argus/redis, readOnly: true}
{{- end }}{{ end }}
{{- end }}

{{- define "argus.modelClaim" -}}
{{ default (printf "%s-models" (include "argus.fullname" .)) .Values.models.persistence.existingClaim }}
{{- end }}
