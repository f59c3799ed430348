// Package telemetry sets the OpenTelemetry SDK up for one process of the shop.
package telemetry

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A batch leaves at the latest after this long, so that a board follows the traffic closely.
const batchTimeout = time.Second

// Start makes the process send its spans to OTEL_EXPORTER_OTLP_ENDPOINT and returns the way to flush and stop.
// OTEL_RESOURCE_ATTRIBUTES adds to what Start says of the process.
func Start(ctx context.Context, service string) (stop func(context.Context) error, err error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("set up the OTLP exporter: %w", err)
	}
	res, err := resource.New(ctx,
		resource.WithAttributes(describe(service)...),
		resource.WithFromEnv(),
		resource.WithTelemetrySDK(),
		resource.WithProcessRuntimeVersion(),
	)
	if err != nil {
		return nil, fmt.Errorf("describe the process: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(batchTimeout), sdktrace.WithMaxQueueSize(8192)),
		sdktrace.WithResource(res),
	)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return provider.Shutdown, nil
}

// Version is what this process was deployed as.
func Version() string {
	if version := os.Getenv("SERVICE_VERSION"); version != "" {
		return version
	}
	return "dev"
}

// describe leaves out what the environment does not say: an absent attribute is better than an empty one.
func describe(service string) []attribute.KeyValue {
	host, _ := os.Hostname()
	attributes := []attribute.KeyValue{
		attribute.String("service.name", service),
		attribute.String("service.namespace", "go-shop"),
		attribute.String("service.version", Version()),
		attribute.String("service.instance.id", fmt.Sprintf("%s-%d", host, os.Getpid())),
		attribute.String("vcs.repository.name", "go-shop"),
	}
	for key, variable := range map[string]string{
		"deployment.environment.name": "DEPLOYMENT_ENVIRONMENT",
		"vcs.ref.head.revision":       "SERVICE_REVISION",
		"cloud.region":                "CLOUD_REGION",
	} {
		if value := os.Getenv(variable); value != "" {
			attributes = append(attributes, attribute.String(key, value))
		}
	}
	return attributes
}
